import { Button, Center, Group, Loader, NativeSelect, Text } from '@mantine/core'
import { useInViewport } from '@mantine/hooks'
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo } from 'react'
import { allContainersQuery, followAll, mostShown } from '../../api/all-containers.ts'
import { namesOf } from '../../api/lists.ts'
import { hostsQuery } from '../../api/nouns.ts'
import { counted } from '../../parts/amounts.ts'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { WordField } from '../../parts/word-field.tsx'
import { useProjects } from '../../shell/projects.ts'
import { columnsFor } from './columns.tsx'
import { ListBody } from './list-body.tsx'
import { containersOf } from './rows.ts'
import type { ContainerSearch } from './search.ts'

const sortable = ['createdAt'] as const
const statuses = ['Running', 'Stopped', 'Paused', 'Creating', 'Created', 'Error', 'Unknown', 'Deleting'] as const

/** Containers of every project, for administrators: the server filters, and a page is read when one has scrolled to the last. */
export function AllContainers() {
  const search = useSearch({ from: '/containers' })
  const navigate = useNavigate({ from: '/containers' })
  const projects = useProjects()
  const { project = '', host, name, status, order = 'desc' } = search
  const projectId = projects.find((each) => each.name === project)?.id ?? (project === '' ? undefined : project)
  const filter = useMemo(
    () => ({ project: projectId, host, name, status, order }),
    [projectId, host, name, status, order],
  )
  const { containers, isPending, error, refetch, more } = useLiveList(filter)
  // A change may have taken one out of what the server was asked for.
  const rows = useMemo(
    () => containers.filter((one) => status === undefined || one.status === status),
    [containers, status],
  )
  const columns = useMemo(() => columnsFor({ isAdmin: true, projectName: namesOf(projects) }), [projects])
  const change = (next: ContainerSearch) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true })
  return (
    <>
      <AllFilters search={search} projects={projects.map((each) => each.name)} onChange={change} />
      {error && <Failure error={error} what="The containers could not be listed" onRetry={refetch} />}
      {isPending && !error && (
        <Center py="xl">
          <Loader aria-label="Loading the containers" />
        </Center>
      )}
      {!isPending && containers.length === 0 && !error && (
        <Empty title="No such containers">No project has any that the filter leaves.</Empty>
      )}
      {containers.length > 0 && (
        <ListBody
          {...{ containers, rows, columns, sortable, search }}
          onSort={(sort, next) => change({ sort, order: next })}
          summary={
            <>
              {counted(rows.length, 'container')}
              {more.isThere && ' so far; more follow when you scroll down'}
            </>
          }
        />
      )}
      {more.isThere && <More {...more} />}
    </>
  )
}

function useLiveList(filter: Parameters<typeof allContainersQuery>[0]) {
  const client = useQueryClient()
  const query = useMemo(() => allContainersQuery(filter), [filter])
  useEffect(() => followAll(client, filter), [client, filter])
  const { data, error, isPending, hasNextPage, isFetching, fetchNextPage, refetch } = useInfiniteQuery(query)
  const containers = useMemo(() => containersOf(data?.pages ?? []), [data])
  return {
    containers,
    isPending,
    error,
    refetch: () => void refetch(),
    more: {
      isThere: hasNextPage,
      isFull: containers.length >= mostShown,
      isLoading: isFetching,
      isStuck: error !== null,
      load: () => void fetchNextPage(),
    },
  }
}

type MoreProps = ReturnType<typeof useLiveList>['more']

/** What follows, which is loaded when this comes into sight. */
function More({ isFull, isLoading, isStuck, load }: MoreProps) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>()
  const isWanted = inViewport && !isFull && !isLoading && !isStuck
  useEffect(() => {
    if (isWanted) load()
    // `load` is another one each time.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [isWanted])
  return (
    <Group ref={ref} justify="center">
      {isFull ? (
        <Text size="sm" c="dimmed">
          No more than {mostShown.toLocaleString('en')} are shown. Ask for a project, a host, a status or a name to find
          others.
        </Text>
      ) : (
        <Button variant="default" loading={isLoading} onClick={load}>
          Show more
        </Button>
      )}
    </Group>
  )
}

interface AllFiltersProps {
  readonly search: ContainerSearch
  readonly projects: readonly string[]
  readonly onChange: (change: ContainerSearch) => void
}

function AllFilters({
  search: { project = '', host = '', name = '', status = '' },
  projects,
  onChange,
}: AllFiltersProps) {
  const { data: hosts = [] } = useQuery(hostsQuery)
  return (
    <Group gap="xs" align="end">
      <WordField
        label="Project"
        value={project}
        suggestions={projects}
        onChange={(text) => onChange({ project: text })}
      />
      <WordField
        label="Host"
        value={host}
        suggestions={hosts.map((each) => each.name)}
        onChange={(text) => onChange({ host: text })}
      />
      <WordField label="Exact name" value={name} onChange={(text) => onChange({ name: text })} />
      <NativeSelect
        label="Status"
        value={status}
        onChange={({ currentTarget }) => onChange({ status: currentTarget.value })}
        data={[{ value: '', label: 'any' }, ...statuses]}
      />
    </Group>
  )
}
