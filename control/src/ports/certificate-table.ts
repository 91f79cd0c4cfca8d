import type { ProjectId, UserId } from '@gantry/model'

/** A user's client certificate, and the application credential that whoever shows it is logged in with. */
export interface ClientCertificate {
  /** Upper-case hex. */
  readonly serial: string
  readonly userId: UserId
  readonly projectId: ProjectId
  /** What its owner calls it. */
  readonly name: string
  readonly appCredentialId: string
  readonly sealedSecret: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly expiresAt: number
}

export interface CertificateTable {
  insert(certificate: ClientCertificate): Promise<void>
  get(serial: string): Promise<ClientCertificate | undefined>
  /** Those of a user in a project, oldest first. */
  list(userId: UserId, projectId: ProjectId): Promise<ClientCertificate[]>
  remove(serial: string): Promise<void>
  /** Those that ended before `at` go. */
  prune(at: number): Promise<void>
}
