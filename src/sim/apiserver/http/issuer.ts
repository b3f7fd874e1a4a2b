import type { HttpResponse } from '../../transport.ts';
import { ISSUER } from '../authentication.ts';
import { respond } from './response.ts';

/** Who signs ServiceAccount tokens, for programs that check them (`pkg/routes/openidmetadata.go`). */

const CACHED = { 'cache-control': 'public, max-age=3600' };

/** `/.well-known/openid-configuration`. */
export function issuerDocument(address: string): HttpResponse {
  const document = {
    issuer: ISSUER,
    jwks_uri: `https://${address}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
  return respond(200, document, { encoding: 'json' }, [], CACHED);
}

/** `/openid/v1/jwks`. Tokens carry a checksum in the place of a signature (see `Authenticator`): there is no key to publish. */
export const keySet = (): HttpResponse => respond(200, { keys: [] }, { encoding: 'json' }, [], { ...CACHED, 'content-type': 'application/jwk-set+json' });
