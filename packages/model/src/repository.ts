/** One or more components, as the OCI distribution spec has them (`<name>`). */
const validName = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
const validTag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const longestName = 255

export function isRepositoryName(text: string): boolean {
  return text.length <= longestName && validName.test(text)
}

export function isTag(text: string): boolean {
  return validTag.test(text)
}

/** `demo/team/app` is repository `team/app` in the namespace `demo`; null: it names no repository in a namespace. */
export function splitNamespace(name: string): { namespace: string; repo: string } | null {
  const slash = name.indexOf('/')
  if (slash < 1 || !isRepositoryName(name)) return null
  return { namespace: name.slice(0, slash), repo: name.slice(slash + 1) }
}
