import type { NamePage } from '../../registry-verbs.ts'

/** Those of `names` that belong on the page, in the order of their bytes, each once. */
export function inPage(names: Iterable<string>, { after, limit }: NamePage): string[] {
  const all = [...new Set(names)].filter((name) => after === null || name > after)
  return all.toSorted(byBytes).slice(0, limit)
}

function byBytes(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
