import type { ContainerView } from '@gantry/facade-native/views'
import { Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { type ReactNode, useCallback, useMemo, useState } from 'react'
import { type Ask, ask, asks, useAsk } from '../../api/containers.ts'
import { ConfirmDialog } from '../../parts/dialogs.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { ContainerCards } from './cards.tsx'
import { useSelection } from './selection.ts'
import { ContainerTable, type ListProps } from './table.tsx'

interface ListBodyProps extends Pick<ListProps, 'rows' | 'columns' | 'sortable' | 'search' | 'onSort'> {
  /** All that are there, whatever the filter leaves. */
  readonly containers: readonly ContainerView[]
  /** How many there are. */
  readonly summary: ReactNode
}

/** The rows, what is chosen of them, and what can be done with those and with each. */
export function ListBody({ containers, rows, columns, sortable, search, onSort, summary }: ListBodyProps) {
  const isPhone = useMediaQuery('(max-width: 47.99em)')
  const selection = useSelection(rows)
  const chosen = useMemo(() => containers.filter(({ id }) => selection.ids.has(id)), [containers, selection.ids])
  const single = useSingle()
  const list = { rows, selection, columns, sortable, search, onSort, onAsk: single.onAsk }
  return (
    <>
      {single.failure}
      <BulkBar chosen={chosen} onClear={selection.clear} />
      <Text size="sm" c="dimmed" role="status">
        {summary}
      </Text>
      {rows.length === 0 ? (
        <Empty title="Nothing fits the filter">Other words, or fewer, may find what you look for.</Empty>
      ) : isPhone ? (
        <ContainerCards {...list} />
      ) : (
        <ContainerTable {...list} />
      )}
      {single.question}
    </>
  )
}

/** What is asked of one container from its menu: the question before, the failure after. */
function useSingle() {
  const { mutate, error, variables, reset } = useAsk()
  const [doomed, setDoomed] = useState<ContainerView | null>(null)
  const onAsk = useCallback(
    (what: Ask, of: ContainerView) => (what === 'delete' ? setDoomed(of) : mutate({ what, of })),
    [mutate],
  )
  const again = () => {
    reset()
    if (variables) mutate(variables)
  }
  return {
    onAsk,
    failure: error && variables && (
      <Failure error={error} what={`${variables.of.name} ${asks[variables.what].failure}`} onRetry={again} />
    ),
    question: doomed && (
      <ConfirmDialog
        title={`Delete ${doomed.name}?`}
        verb="Delete"
        nouns={[]}
        onConfirm={() => ask('delete', doomed)}
        onClose={() => setDoomed(null)}
      >
        It is stopped first if it runs. What it wrote outside of its volumes is lost.
      </ConfirmDialog>
    ),
  }
}
