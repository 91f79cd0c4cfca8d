import { createHash, X509Certificate } from 'node:crypto'

/** SHA-256 of the certificate's DER, lower-case hex without colons (what `openssl x509 -fingerprint -sha256` shows). */
export function fingerprintOf(certificate: string | Buffer): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')
}
