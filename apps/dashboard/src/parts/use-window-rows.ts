import { useWindowVirtualizer, type VirtualItem } from '@tanstack/react-virtual'
import { type RefObject, useLayoutEffect, useRef, useState } from 'react'

interface WindowRows<E extends Element> {
  /** For the element that begins where the first row does. */
  readonly ref: RefObject<E | null>
  readonly items: readonly VirtualItem[]
  /** Pixels of the rows above and below those that are there. */
  readonly above: number
  readonly below: number
}

/** The few of many rows that are in sight while the whole page scrolls. All are `height` pixels high. */
export function useWindowRows<E extends Element>(count: number, height: number): WindowRows<E> {
  const ref = useRef<E | null>(null)
  const [scrollMargin, setScrollMargin] = useState(0)
  // What is above may grow and shrink with anything that is shown.
  useLayoutEffect(() => {
    if (ref.current) setScrollMargin(Math.round(ref.current.getBoundingClientRect().top + window.scrollY))
  })
  const virtualizer = useWindowVirtualizer({ count, estimateSize: () => height, overscan: 10, scrollMargin })
  const items = virtualizer.getVirtualItems()
  const above = (items[0]?.index ?? 0) * height
  const below = (count - 1 - (items.at(-1)?.index ?? count - 1)) * height
  return { ref, items, above, below }
}
