/**
 * Names under which the engine keeps copies of what the catalogue has: those of our own registry endpoint, whatever its port was.
 * Whose a copy is, they do not tell, so nothing that a user wrote may be looked up by them.
 */
const ours = /^127\.0\.0\.1:\d+\/(gantry|upstream|incoming)(?=[/:@])/

export function isCopyName(ref: string): boolean {
  return ours.test(ref)
}

/** What an image is called by its content alone. */
export function isImageId(ref: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(ref)
}

/** `repo:tag`, or `repo@sha256:…`. */
export function nameAt(repo: string, reference: string): string {
  return reference.includes(':') ? `${repo}@${reference}` : `${repo}:${reference}`
}
