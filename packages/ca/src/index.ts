export {
  agentUnit,
  type CertificateAuthority,
  createOrLoadCa,
  type IssuedCertificate,
  type SignedCertificate,
  serverUnit,
  userUnit,
} from './authority.ts'
export { createSecretFile } from './secret-file.ts'
export { fingerprintOf } from './fingerprint.ts'
export { type CertificateRequest, createRequest, readRequest } from './request.ts'
