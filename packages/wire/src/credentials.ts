import { X509Certificate } from 'node:crypto'

/** What makes a machine a host of one deployment. The key is a secret; store it 0600. All certificates and keys PEM. */
export interface Credentials {
  readonly hostId: string
  readonly deployment: string
  readonly certificate: string
  readonly key: string
  readonly ca: string
}

/** Epoch milliseconds. `renewAt`: when two thirds of the certificate's life are over. */
export function lifetimeOf({ certificate }: Pick<Credentials, 'certificate'>): { renewAt: number; endsAt: number } {
  const { validFromDate, validToDate } = new X509Certificate(certificate)
  const [from, endsAt] = [validFromDate.getTime(), validToDate.getTime()]
  return { renewAt: from + ((endsAt - from) * 2) / 3, endsAt }
}
