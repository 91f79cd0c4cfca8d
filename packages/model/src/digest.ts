import type { Brand } from '@gantry/kernel'

/** `sha256:` and 64 hex digits, or `sha512:` and 128: what content is known by (OCI image spec, "Digests"). */
export type Digest = Brand<string, 'Digest'>

const digest = /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** null: it is none, or of an algorithm that is not supported. */
export function parseDigest(text: string): Digest | null {
  return digest.test(text) ? (text as Digest) : null
}

export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}
