import { useCallback, useMemo, useRef, useState } from 'react'

export interface Selection {
  readonly ids: ReadonlySet<string>
  /** Of row `index`; with `isRange` also all between it and the last one that was clicked. */
  readonly toggle: (index: number, isRange: boolean) => void
  /** All rows, or none of them if all are. */
  readonly toggleAll: () => void
  readonly clear: () => void
}

/** Which of `rows` are chosen. Those that are no longer among them stay chosen for when they come back. */
export function useSelection(rows: readonly { readonly id: string }[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const last = useRef<string | null>(null)
  // Rows hold on to `toggle`; it must not be another one whenever the list changes.
  const shown = useRef(rows)
  shown.current = rows
  const toggle = useCallback((index: number, isRange: boolean) => {
    const row = shown.current[index]
    if (!row) return
    const anchor = isRange ? shown.current.findIndex(({ id }) => id === last.current) : -1
    const from = anchor === -1 ? index : Math.min(anchor, index)
    const range = shown.current.slice(from, anchor === -1 ? index + 1 : Math.max(anchor, index) + 1)
    last.current = row.id
    setIds((known) => including(known, range, !known.has(row.id)))
  }, [])
  const toggleAll = useCallback(() => {
    setIds((known) => {
      const all = shown.current
      return including(known, all, !all.every(({ id }) => known.has(id)))
    })
  }, [])
  const clear = useCallback(() => setIds(new Set()), [])
  return useMemo(() => ({ ids, toggle, toggleAll, clear }), [ids, toggle, toggleAll, clear])
}

function including(
  known: ReadonlySet<string>,
  rows: readonly { readonly id: string }[],
  isIn: boolean,
): ReadonlySet<string> {
  const next = new Set(known)
  for (const { id } of rows) {
    if (isIn) next.add(id)
    else next.delete(id)
  }
  return next
}
