/** Reads the `export OS_NAME=value` lines of an openrc file; runs nothing. */
export function parseOpenrc(content: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const line of content.split('\n')) {
    const [, name, value = ''] = /^\s*(?:export\s+)?(OS_[A-Z0-9_]+)=(.*?)\s*$/.exec(line) ?? []
    if (name !== undefined) found[name] = unquoted(value)
  }
  return found
}

/** As a shell reads one quoted word; an apostrophe within single quotes is written '\''. */
function unquoted(value: string): string {
  if (/^'.*'$/s.test(value)) return value.slice(1, -1).replaceAll(String.raw`'\''`, "'")
  if (/^".*"$/s.test(value)) return value.slice(1, -1).replace(/\\(["\\$`])/g, '$1')
  return value
}
