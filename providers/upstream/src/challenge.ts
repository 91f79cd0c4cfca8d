/** One way in that a registry offers (RFC 9110 §11.6.1). `scheme` in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Parameters as `name=value` or `name="value"`; a scheme is a word that no `=` follows. */
const piece = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g

/** What `WWW-Authenticate` says; what it does not understand it leaves out. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  const text = typeof header === 'string' ? header : (header ?? []).join(', ')
  for (const [, name = '', quoted, plain] of text.slice(0, 8192).matchAll(piece)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} })
    else {
      const last = challenges.at(-1)
      if (last) last.parameters[name.toLowerCase()] = value
    }
  }
  return challenges
}
