import type { CertificateView as Kept } from '@gantry/control'
import { callerOf, tokenOf } from '@gantry/http'
import Type from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { operation } from '../operation.ts'
import { type CertificateView, CreateCertificate } from '../schemas-certificate.ts'
import { isoTime } from '../times.ts'

const tag = 'certificates'
const dayMs = 24 * 3_600_000
const Where = Type.Object({
  url: Type.String({ description: 'http://HOST:PORT, or https off the loopback interface.' }),
  tlsUrl: Type.String({ description: 'https://HOST:PORT, where client certificates count too.' }),
  ca: Type.String({ description: 'The authority behind their certificates, PEM.' }),
})
const Serial = Type.Object({ serial: Type.String({ pattern: '^[0-9A-Fa-f]{1,64}$' }) })

/** Where the Docker API is, and client certificates for it: a client that shows one needs no token. */
export function dockerRoutes(app: App, { certificates, dockerPorts }: NativeContext): void {
  app.get('/docker', { schema: whereDoc }, async (request) => {
    const { url, tlsUrl, ca } = dockerPorts()
    return { url: reachable(url, request.hostname), tlsUrl: reachable(tlsUrl, request.hostname), ca }
  })
  app.get('/docker/certificates', { schema: listDoc }, async (request) => {
    return { certificates: (await certificates.list(callerOf(request))).map(toView) }
  })
  app.post('/docker/certificates', { schema: createDoc }, async (request, reply) => {
    const { csr, name = null, days = null } = request.body
    const wanted = { csr, name, lifetimeMs: days === null ? null : days * dayMs }
    const made = await certificates.create(callerOf(request), tokenOf(request) ?? '', wanted)
    const { view, certificate, authority } = made
    return reply
      .code(201)
      .header('location', `/v1/docker/certificates/${view.serial}`)
      .send({ ...toView(view), certificate, ca: authority })
  })
  app.delete('/docker/certificates/:serial', { schema: revokeDoc }, async (request, reply) => {
    await certificates.revoke(callerOf(request), tokenOf(request) ?? '', request.params.serial)
    return reply.code(204).send()
  })
}

/** A server that listens on every address is reached under the name by which this client reaches it. */
function reachable(url: string, hostname: string): string {
  const address = new URL(url)
  if (['0.0.0.0', '[::]'].includes(address.hostname)) address.hostname = hostname
  return address.origin
}

function toView({ createdAt, expiresAt, ...shown }: Kept): CertificateView {
  return { ...shown, createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) }
}

const whereDoc = operation({
  operationId: 'showDocker',
  summary: 'Show where the Docker API is',
  tag,
  answer: { status: 200, description: 'Its addresses.', content: Where },
})
const listDoc = operation({
  operationId: 'listCertificates',
  summary: 'List your client certificates of this project',
  tag,
  answer: { status: 200, description: 'Those that have not ended.', content: 'CertificateList' },
})
const createDoc = operation({
  operationId: 'createCertificate',
  summary: 'Sign a client certificate for the Docker API',
  description:
    'Whoever shows it is you in this project, until it ends or is revoked, or you lose your roles. An application credential of yours stands behind it; deleting that revokes the certificate too.',
  tag,
  body: CreateCertificate,
  answer: { status: 201, description: 'The certificate.', content: 'NewCertificate' },
})
const revokeDoc = operation({
  operationId: 'revokeCertificate',
  summary: 'Revoke a client certificate; connections that were opened with it end',
  tag,
  params: Serial,
  answer: { status: 204, description: 'Revoked.' },
})
