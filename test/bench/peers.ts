/** What the proxy is compared with: a bare pipe of bytes on the same sockets (the floor of Node), and nginx if it is there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Passes bytes on without looking at them; resolves to its port. */
export async function runPipe(upstreamPort: number): Promise<number> {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true });
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => client.write(chunk));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('error', () => undefined);
    upstream.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Starts nginx (`NGINX` in the environment names the binary) with one worker, logging like the proxy does. */
export async function startNginx(binary: string, upstreamPort: number, port: number): Promise<ChildProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const config = `
daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  log_format json escape=json '{"timestamp":"$time_iso8601","request_id":"$request_id","method":"$request_method",'
    '"path":"$uri","host":"$host","status":$status,"duration_ms":$request_time,"upstream":"$upstream_addr"}';
  access_log ${folder}/access.log json buffer=32k flush=1s;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000;
  upstream pool { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://pool; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Request-Id $request_id; add_header X-Request-Id $request_id;
    }
  }
}`;
  writeFileSync(join(folder, 'nginx.conf'), config);
  console.log(config);
  const child = spawn(binary, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

/** CPU time of a process so far, user and system, in microseconds (from /proc, in steps of 10 ms). */
export function processCpu(pid: number): NodeJS.CpuUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) * 10_000, system: Number(fields[12]) * 10_000 };
}
