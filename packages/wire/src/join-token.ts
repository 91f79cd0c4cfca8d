import { Fault } from '@gantry/kernel'

/**
 * What an operator carries from the server to a new host: `gj1.<sha256 of the CA's certificate>.<token id>.<secret>`. The
 * first part lets the host know the server, the rest lets the server know the host.
 */
export interface JoinToken {
  /** Lower-case hex, 64 digits. */
  readonly fingerprint: string
  readonly id: string
  readonly secret: string
}

const shape = /^gj1\.([0-9a-f]{64})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{16,128})$/

export function formatJoinToken({ fingerprint, id, secret }: JoinToken): string {
  return `gj1.${fingerprint}.${id}.${secret}`
}

/** Throws `request.invalid` (without repeating the text, which is a secret). */
export function parseJoinToken(text: string): JoinToken {
  const [, fingerprint, id, secret] = shape.exec(text.trim()) ?? []
  if (fingerprint === undefined || id === undefined || secret === undefined) {
    throw new Fault('request.invalid', {
      problem: 'This is not a join token; it must be copied whole, beginning with gj1.',
    })
  }
  return { fingerprint, id, secret }
}
