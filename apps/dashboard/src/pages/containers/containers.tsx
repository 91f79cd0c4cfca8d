import type { ContainerView } from '@gantry/facade-native/views'
import { Button, Center, Loader, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { type Ask, ask, asks, useAsk } from '../../api/containers.ts'
import { containersQuery } from '../../api/nouns.ts'
import { counted } from '../../parts/amounts.ts'
import { ConfirmDialog } from '../../parts/dialogs.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { useSession } from '../../shell/session.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { ContainerCards } from './cards.tsx'
import { Filters } from './filters.tsx'
import { containersOf, countByStatus, rowsOf } from './rows.ts'
import type { ContainerSearch, SortKey } from './search.ts'
import { useSelection } from './selection.ts'
import { ContainerTable } from './table.tsx'

/** All containers of the project: found, sorted, chosen and told what to do. */
export function Containers() {
  const { containers, isPending, isWhole, error, refetch } = useAllContainers()
  return (
    <Page
      title="Containers"
      actions={
        <Button component={Link} to="/launch" size="sm">
          Launch
        </Button>
      }
    >
      {error && <Failure error={error} what="The containers could not be listed" onRetry={refetch} />}
      {isPending && !error && (
        <Center py="xl">
          <Loader aria-label="Loading the containers" />
        </Center>
      )}
      {!isPending && containers.length === 0 && !error && <NoContainers />}
      {containers.length > 0 && <ContainerList containers={containers} isWhole={isWhole} />}
    </Page>
  )
}

function NoContainers() {
  return (
    <Empty
      title="No containers yet"
      action={
        <Button component={Link} to="/launch">
          Launch a container
        </Button>
      }
    >
      A container is a program with all that it needs, started from an image. Launch the first one here, or with{' '}
      <code>gantry run busybox</code>.
    </Empty>
  )
}

/** One page after another; what is there already can be worked with. */
function useAllContainers() {
  const { data, error, isPending, hasNextPage, isFetching, fetchNextPage, refetch } = useInfiniteQuery(containersQuery)
  const read = data?.pages.length ?? 0
  useEffect(() => {
    // A page may come so fast that it was never seen to be on its way: `read` then is all that changes.
    if (read > 0 && hasNextPage && !isFetching && !error) void fetchNextPage()
  }, [read, hasNextPage, isFetching, error, fetchNextPage])
  const containers = useMemo(() => containersOf(data?.pages ?? []), [data])
  return { containers, error, isPending, isWhole: !hasNextPage, refetch: () => void refetch() }
}

interface ContainerListProps {
  readonly containers: readonly ContainerView[]
  readonly isWhole: boolean
}

function ContainerList({ containers, isWhole }: ContainerListProps) {
  const search = useSearch({ from: '/containers' })
  const navigate = useNavigate({ from: '/containers' })
  const { isAdmin } = useSession()
  const isPhone = useMediaQuery('(max-width: 47.99em)')
  const rows = useMemo(() => rowsOf(containers, search), [containers, search])
  const counts = useMemo(() => countByStatus(containers), [containers])
  const selection = useSelection(rows)
  const chosen = useMemo(() => containers.filter(({ id }) => selection.ids.has(id)), [containers, selection.ids])
  const single = useSingle()
  const change = (more: ContainerSearch) => {
    // Empty values are left out of the address by its own reading of it.
    void navigate({ search: (old) => ({ ...old, ...more }), replace: true })
  }
  const onSort = (sort: SortKey, order: 'asc' | 'desc') => change({ sort, order })
  const list = { rows, selection, search, isAdmin, onSort, onAsk: single.onAsk }
  return (
    <>
      <Filters search={search} counts={counts} onChange={change} />
      {single.failure}
      <BulkBar chosen={chosen} onClear={selection.clear} />
      <Text size="sm" c="dimmed" role="status">
        {rows.length === containers.length ? '' : `${rows.length.toLocaleString('en')} of `}
        {counted(containers.length, 'container')}
        {isWhole ? '' : '; more are being loaded…'}
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
