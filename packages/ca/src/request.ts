import { Fault } from '@gantry/kernel'
import { makeKeys } from './keys.ts'
import { keyAlgorithm, loadX509, type X509 } from './x509.ts'

export interface CertificateRequest {
  /** PKCS#8 PEM; never leaves the machine that made it. */
  readonly key: string
  /** PKCS#10 PEM. */
  readonly csr: string
}

/** A fresh key and the request for a certificate on it. The subject is only a label: the CA decides the name itself. */
export async function createRequest(label: string): Promise<CertificateRequest> {
  const x509 = await loadX509()
  const { keys, key } = await makeKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [label] }],
    keys,
    signingAlgorithm: keyAlgorithm,
  })
  return { key, csr: request.toString('pem') }
}

/**
 * Reads a request and proves that its sender holds the private key. Throws `request.invalid` for anything else than a
 * well-formed, correctly signed request with a P-256 key.
 */
export async function readRequest(csr: string): Promise<X509.Pkcs10CertificateRequest> {
  const x509 = await loadX509()
  try {
    const request = new x509.Pkcs10CertificateRequest(csr)
    const algorithm = request.publicKey.algorithm
    const isP256 = algorithm.name === 'ECDSA' && 'namedCurve' in algorithm && algorithm.namedCurve === 'P-256'
    if (isP256 && (await request.verify())) return request
  } catch (error) {
    throw invalid(error)
  }
  throw invalid()
}

function invalid(cause?: unknown): Fault {
  const problem = 'The certificate request must be PKCS#10 PEM, signed by its own ECDSA P-256 key.'
  return new Fault('request.invalid', { problem }, cause)
}
