import { X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { CertificateView } from '@gantry/facade-native'
import type { Api } from '../client/api.ts'
import { writePrivate } from './docker-config.ts'

/** A certificate that ends sooner is replaced. */
const spareMs = 7 * 24 * 3_600_000

/**
 * `ca.pem`, `cert.pem` and `key.pem` in `dir`, as docker's DOCKER_CERT_PATH wants them: those that are there if they are
 * still good for a week, else new ones. The private key is made here and goes nowhere. Answers when it ends.
 */
export async function provideCertificate(api: Api, dir: string): Promise<{ expiresAt: string; fresh: boolean }> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  const known = await api.json<{ certificates: CertificateView[] }>({ path: '/v1/docker/certificates' })
  const usable = await usableSerial(dir)
  const kept = known.certificates.find(({ serial }) => serial === usable)
  if (kept) return { expiresAt: kept.expiresAt, fresh: false }
  const { createRequest } = await import('@gantry/ca')
  const name = `docker on ${hostname()}`.slice(0, 64)
  const { key, csr } = await createRequest(name)
  const made = await api.json<CertificateView & { certificate: string; ca: string }>({
    method: 'POST',
    path: '/v1/docker/certificates',
    json: { csr, name },
  })
  await writePrivate(join(dir, 'key.pem'), key)
  await writePrivate(join(dir, 'cert.pem'), made.certificate)
  await writePrivate(join(dir, 'ca.pem'), made.ca)
  return { expiresAt: made.expiresAt, fresh: true }
}

/** Of the certificate in `dir`, if its key and authority are there too and it does not end soon. */
async function usableSerial(dir: string): Promise<string | undefined> {
  try {
    const read = (name: string) => readFile(join(dir, name), 'utf8')
    const [certificate] = await Promise.all(['cert.pem', 'key.pem', 'ca.pem'].map(read))
    const { serialNumber, validToDate } = new X509Certificate(certificate ?? '')
    return validToDate.getTime() - Date.now() > spareMs ? serialNumber.toUpperCase() : undefined
  } catch {
    return undefined
  }
}
