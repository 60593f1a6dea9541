/** The file of verifying keys that a proxy is given: a JWK set (RFC 7517 §5) of Ed25519 public keys (RFC 8037). */
import Type, { type Static } from 'typebox';
import { limit } from './limits.ts';

const publicJwkSchema = Type.Object(
  {
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    /** RFC 7638 thumbprint of the key. */
    kid: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    use: Type.Optional(Type.Literal('sig')),
    alg: Type.Optional(Type.Enum(['Ed25519', 'EdDSA'])),
  },
  // Also keeps out `d`: a private key in a key set is a mistake worth stopping at.
  { additionalProperties: false },
);
export type PublicJwk = Static<typeof publicJwkSchema>;

export const keySetSchema = Type.Object(
  { keys: Type.Array(publicJwkSchema, { minItems: 1, maxItems: limit('keysPerKeySet') }) },
  { additionalProperties: false },
);
export type KeySetFile = Static<typeof keySetSchema>;
