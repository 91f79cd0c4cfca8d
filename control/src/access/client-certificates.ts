import { type Clock, Fault, type Ids } from '@gantry/kernel'
import type { Caller, ProjectId, UserId } from '@gantry/model'
import type { CertificateTable, ClientCertificate } from '../ports/certificate-table.ts'
import type { AppCredentials, IdentityService } from '../ports/identity.ts'
import type { Secrets } from '../ports/secrets.ts'

/** What signs users' certificates. Throws `request.invalid` for a bad request. */
export interface CertificateSigner {
  /** The certificate of the authority itself, PEM. */
  readonly certificate: string
  signUser(
    csr: string,
    label: string,
    lifetimeMs: number,
  ): Promise<{ readonly certificate: string; readonly serial: string; readonly expiresAt: number }>
}

export interface ClientCertificateDeps {
  readonly identity: Pick<IdentityService, 'authenticate'> & {
    readonly appCredentials: Pick<AppCredentials, 'create' | 'remove'>
  }
  readonly table: CertificateTable
  readonly secrets: Secrets
  readonly signer: CertificateSigner
  readonly clock: Clock
  readonly ids: Ids
}

export type CertificateView = Omit<ClientCertificate, 'appCredentialId' | 'sealedSecret'>

export interface NewCertificate {
  /** PKCS#10, PEM. */
  readonly csr: string
  /** What its owner calls it; null: docker. */
  readonly name: string | null
  /** Up to a year, and that long unless told. Milliseconds. */
  readonly lifetimeMs: number | null
}

/**
 * Certificates with which clients that cannot log in are somebody, in one project, until they end or are revoked. `token`
 * is the caller's own: what stands behind a certificate is an application credential that she makes and deletes herself,
 * so that whatever takes her roles away takes them from her certificates.
 */
export interface ClientCertificates {
  /** `policy.forbidden` for a restricted application credential, which must not make itself longer-lived. */
  create(
    caller: Caller,
    token: string,
    input: NewCertificate,
  ): Promise<{ readonly view: CertificateView; readonly certificate: string; readonly authority: string }>
  /** The caller's own in her project, oldest first, as far as they have not ended. */
  list(caller: Caller): Promise<CertificateView[]>
  /** By serial; `identity.not-found` for somebody else's. Connections that were opened with it end. */
  revoke(caller: Caller, token: string, serial: string): Promise<void>
}

const longestCertificateMs = 365 * 24 * 3_600_000
const usualName = 'docker'

export function createClientCertificates(deps: ClientCertificateDeps): ClientCertificates {
  const { identity, table, secrets, signer, clock, ids } = deps
  return {
    async create(caller, token, { csr, name, lifetimeMs }) {
      const life = Math.min(lifetimeMs ?? longestCertificateMs, longestCertificateMs)
      const asker = await identity.authenticate(token, caller.requestId)
      // Signed first: a bad request must not leave a credential behind.
      const signed = await signer.signUser(csr, `${caller.userName} of ${caller.projectName}`.slice(0, 64), life)
      const { credential, secret } = await identity.appCredentials.create(asker, caller.userId, {
        name: `gantry-certificate-${ids.hex(8)}`,
        description: `Behind the client certificate ${signed.serial}; delete it to revoke that.`,
        expiresAt: signed.expiresAt,
      })
      const entry: ClientCertificate = {
        serial: signed.serial,
        userId: caller.userId,
        projectId: caller.projectId,
        name: name ?? usualName,
        appCredentialId: credential.id,
        sealedSecret: secrets.seal(secret),
        createdAt: clock.now(),
        expiresAt: signed.expiresAt,
      }
      await table.prune(clock.now())
      await table.insert(entry)
      return { view: viewOf(entry), certificate: signed.certificate, authority: signer.certificate }
    },
    async list(caller) {
      const all = await table.list(caller.userId, caller.projectId)
      return all.filter(({ expiresAt }) => expiresAt > clock.now()).map(viewOf)
    },
    async revoke(caller, token, serial) {
      const entry = await ownOf(table, caller, serial)
      const asker = await identity.authenticate(token, caller.requestId)
      // The row goes first: even if the identity service cannot be reached, the certificate is worth nothing.
      await table.remove(entry.serial)
      await identity.appCredentials.remove(asker, entry.userId, entry.appCredentialId).catch(unlessGone)
    },
  }
}

async function ownOf(table: CertificateTable, caller: Caller, serial: string): Promise<ClientCertificate> {
  const entry = await table.get(serial.toUpperCase())
  if (entry && isOwn(caller, entry)) return entry
  throw new Fault('identity.not-found', { type: 'certificate', ref: serial })
}

function isOwn(caller: Caller, entry: { readonly userId: UserId; readonly projectId: ProjectId }): boolean {
  return entry.userId === caller.userId && entry.projectId === caller.projectId
}

/** Its owner may have deleted the credential before; a restricted one may not delete it, and it is of no use any more. */
function unlessGone(error: unknown): void {
  if (error instanceof Fault && ['identity.not-found', 'policy.forbidden'].includes(error.code)) return
  throw error
}

function viewOf({ appCredentialId: _behind, sealedSecret: _hidden, ...view }: ClientCertificate): CertificateView {
  return view
}
