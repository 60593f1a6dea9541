#!/bin/sh
# Makes certificates for development: a CA, the admin listener's, a person's and the operator's client certificate.
# EC P-256, for localhost only. A set that is still good for two days is kept; else the whole set is made anew, since the
# CA's key is never written to disk. Never use them outside of one machine.
set -eu
umask 077

out=.state/certs
days=30
usage() {
  echo "usage: gen-certs.sh [--out FOLDER] [--days DAYS]   (defaults: $out, $days)"
}
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=${2:?"--out takes a folder"} && shift 2 ;;
    --days) days=${2:?"--days takes a number"} && shift 2 ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
case $days in
  '' | *[!0-9]* | 0) echo "error: --days takes a whole number of days, not '$days'" >&2 && exit 2 ;;
esac
command -v openssl >/dev/null || {
  echo "error: openssl is not on PATH; install the package openssl (macOS has it) and try again" >&2
  exit 1
}

# good <name>: the certificate is there, of this CA, good for two days, and has its key.
good() {
  [ -f "$out/$1-cert.pem" ] && [ -f "$out/$1-key.pem" ] &&
    openssl x509 -in "$out/$1-cert.pem" -noout -checkend 172800 &&
    openssl verify -CAfile "$out/admin-ca.pem" "$out/$1-cert.pem" &&
    [ "$(openssl x509 -in "$out/$1-cert.pem" -noout -pubkey)" = "$(openssl pkey -in "$out/$1-key.pem" -pubout)" ]
}
if (good admin && good client && good operator) >/dev/null 2>&1; then
  echo "certificates in $out are still good"
  exit 0
fi

mkdir -p "$out"
work=$(mktemp -d "$out/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

run() { # openssl talks on stderr also when all is well; show that only on failure
  openssl "$@" 2>"$work/log" || {
    echo "error: openssl $1 failed:" >&2
    cat "$work/log" >&2
    exit 1
  }
}

cat >"$work/ca.conf" <<CONF
[req]
distinguished_name = name
x509_extensions = ca
prompt = no
[name]
CN = modern-reverse-proxy development CA
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
CONF
run ecparam -name prime256v1 -genkey -noout -out "$work/ca-key"
run req -new -x509 -sha256 -config "$work/ca.conf" -key "$work/ca-key" -days "$days" -out "$work/admin-ca.pem"

# issue <name> <common name> <extensions…>
issue() {
  name=$1 common_name=$2
  shift 2
  printf '%s\n' "basicConstraints = critical, CA:FALSE" "keyUsage = critical, digitalSignature" \
    "subjectKeyIdentifier = hash" "authorityKeyIdentifier = keyid" "$@" >"$work/$name.conf"
  run ecparam -name prime256v1 -genkey -noout -out "$work/ec-key"
  run pkcs8 -topk8 -nocrypt -in "$work/ec-key" -out "$work/$name-key.pem"
  run req -new -sha256 -config "$work/ca.conf" -key "$work/$name-key.pem" -subj "/CN=$common_name" -out "$work/request"
  run x509 -req -sha256 -in "$work/request" -CA "$work/admin-ca.pem" -CAkey "$work/ca-key" \
    -set_serial "0x$(openssl rand -hex 15)" -days "$days" -extfile "$work/$name.conf" -out "$work/$name-cert.pem"
}
issue admin localhost "extendedKeyUsage = serverAuth" "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1"
issue client developer "extendedKeyUsage = clientAuth"
issue operator operator "extendedKeyUsage = clientAuth"

# The CA last: while it is the old one, a set that is half new is not taken for good.
for name in admin-cert admin-key client-cert client-key operator-cert operator-key admin-ca; do
  mv -f "$work/$name.pem" "$out/$name.pem"
done
echo "made certificates in $out, good for $days days"
