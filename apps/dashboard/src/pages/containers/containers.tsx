import type { ContainerView } from '@gantry/facade-native/views'
import { Button, Center, Loader, Switch } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo } from 'react'
import { containersQuery } from '../../api/nouns.ts'
import { counted } from '../../parts/amounts.ts'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { useSession } from '../../shell/session.tsx'
import { AllContainers } from './all-containers.tsx'
import { columnsFor } from './columns.tsx'
import { Filters } from './filters.tsx'
import { ListBody } from './list-body.tsx'
import { containersOf, countByStatus, rowsOf } from './rows.ts'
import { type ContainerSearch, type SortKey, sortKeys } from './search.ts'

/** The containers of the project, or of all projects. */
export function Containers() {
  const { isAdmin } = useSession()
  const search = useSearch({ from: '/containers' })
  const navigate = useNavigate({ from: '/containers' })
  const isAll = isAdmin && search.all === true
  return (
    <Page
      title="Containers"
      actions={
        <>
          {isAdmin && (
            <Switch
              label="All projects"
              checked={isAll}
              // What the one list is filtered and sorted by the other may not know.
              onChange={({ currentTarget }) => void navigate({ search: currentTarget.checked ? { all: true } : {} })}
            />
          )}
          <Button component={Link} to="/launch" size="sm">
            Launch
          </Button>
        </>
      }
    >
      {isAll ? <AllContainers /> : <OwnContainers />}
    </Page>
  )
}

/** All of the project: found, sorted, chosen and told what to do. */
function OwnContainers() {
  const { containers, isPending, isWhole, error, refetch } = useAllOfProject()
  return (
    <>
      {error && <Failure error={error} what="The containers could not be listed" onRetry={refetch} />}
      {isPending && !error && (
        <Center py="xl">
          <Loader aria-label="Loading the containers" />
        </Center>
      )}
      {!isPending && containers.length === 0 && !error && <NoContainers />}
      {containers.length > 0 && <ContainerList containers={containers} isWhole={isWhole} />}
    </>
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
function useAllOfProject() {
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
  const rows = useMemo(() => rowsOf(containers, search), [containers, search])
  const counts = useMemo(() => countByStatus(containers), [containers])
  const columns = useMemo(() => columnsFor({ isAdmin }), [isAdmin])
  const change = (more: ContainerSearch) => {
    // Empty values are left out of the address by its own reading of it.
    void navigate({ search: (old) => ({ ...old, ...more }), replace: true })
  }
  const onSort = (sort: SortKey, order: 'asc' | 'desc') => change({ sort, order })
  return (
    <>
      <Filters search={search} counts={counts} onChange={change} />
      <ListBody
        {...{ containers, rows, columns, search, onSort }}
        sortable={sortKeys}
        summary={
          <>
            {rows.length === containers.length ? '' : `${rows.length.toLocaleString('en')} of `}
            {counted(containers.length, 'container')}
            {isWhole ? '' : '; more are being loaded…'}
          </>
        }
      />
    </>
  )
}
