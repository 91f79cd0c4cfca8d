/** What the launch form begins with. */
export function launchSearch({ image }: Record<string, unknown>): { readonly image?: string } {
  return typeof image === 'string' ? { image } : {}
}

/** What pages with lists keep in the address. */
export interface PlaceSearch {
  readonly tab?: string
  /** The id of the object that is open. */
  readonly open?: string
}

export function placeSearch(search: Record<string, unknown>): PlaceSearch {
  const { tab, open } = search
  return { ...(typeof tab === 'string' && { tab }), ...(typeof open === 'string' && { open }) }
}
