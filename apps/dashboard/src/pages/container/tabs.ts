export const tabs = ['overview', 'logs', 'terminal', 'charts', 'files', 'actions'] as const
export type Tab = (typeof tabs)[number]

/** Which tab is open, kept in the address. */
export interface TabSearch {
  readonly tab?: string
}

/** What is not known is left out. */
export function tabSearch(asked: Readonly<Record<string, unknown>>): TabSearch {
  const tab = tabs.find((known) => known === asked['tab'])
  return tab ? { tab } : {}
}
