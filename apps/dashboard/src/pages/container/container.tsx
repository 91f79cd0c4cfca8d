import type { ContainerView } from '@gantry/facade-native/views'
import { Anchor, Breadcrumbs, Center, Group, Loader, Tabs, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type ComponentType, lazy, Suspense, useCallback, useEffect, useRef } from 'react'
import { ApiError } from '../../api/client.ts'
import { useEveryChange } from '../../api/every-change.ts'
import { containerQuery } from '../../api/nouns.ts'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Page } from '../../parts/page.tsx'
import { Status } from '../../parts/status.tsx'
import { useSession } from '../../shell/session.tsx'
import { Buttons } from './buttons.tsx'
import { type Tab, tabs } from './tabs.ts'

/** Each is a file of its own: who reads a log need not load a terminal. */
const contents: Readonly<Record<Tab, ComponentType<{ readonly container: ContainerView }>>> = {
  overview: lazy(async () => ({ default: (await import('./overview.tsx')).Overview })),
  logs: lazy(async () => ({ default: (await import('./logs/logs.tsx')).Logs })),
  terminal: lazy(async () => ({ default: (await import('./terminal/terminal.tsx')).TerminalTab })),
  charts: lazy(async () => ({ default: (await import('./charts/charts.tsx')).Charts })),
  files: lazy(async () => ({ default: (await import('./files/files.tsx')).Files })),
  actions: lazy(async () => ({ default: (await import('./actions.tsx')).Actions })),
}
const labels: Readonly<Record<Tab, string>> = {
  overview: 'Overview',
  logs: 'Logs',
  terminal: 'Terminal',
  charts: 'Charts',
  files: 'Files',
  actions: 'Actions',
}

/** One container: what it is, what it does, and what can be done with it. */
export function ContainerPage() {
  const { id } = useParams({ from: '/containers/$id' })
  const { project } = useSession()
  const client = useQueryClient()
  const { data: container, error, refetch } = useQuery(containerQuery(id))
  // Of another project's container, at which only an administrator looks, the project's own events do not tell.
  const onEvent = useCallback(
    (ids: ReadonlySet<string> | null) => {
      if (ids === null || ids.has(id)) void client.invalidateQueries({ queryKey: containerQuery(id).queryKey })
    },
    [client, id],
  )
  useEveryChange(container !== undefined && container.projectId !== project.id, 'container.*', onEvent)
  if (error instanceof ApiError && error.status === 404) return <Gone name={container?.name ?? id} />
  if (container) return <Known container={container} />
  return (
    <Page title="Container">
      {error ? (
        <Failure error={error} what="The container could not be read" onRetry={() => void refetch()} />
      ) : (
        <Center py="xl">
          <Loader aria-label="Loading the container" />
        </Center>
      )}
    </Page>
  )
}

function Gone({ name }: { readonly name: string }) {
  return (
    <Page title={name}>
      <Empty
        title="This container is not there"
        action={
          <Anchor component={Link} to="/containers">
            All containers
          </Anchor>
        }
      >
        It was deleted, or belongs to another project.
      </Empty>
    </Page>
  )
}

function Known({ container }: { readonly container: ContainerView }) {
  const navigate = useNavigate({ from: '/containers/$id' })
  const search = useSearch({ from: '/containers/$id' })
  const open = tabs.find((tab) => tab === search.tab) ?? 'overview'
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // On a phone it may lie beyond the edge.
    list.current?.querySelector(`[data-tab=${open}]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [open])
  const show = (tab: string | null) => tab !== null && void navigate({ search: { tab } })
  return (
    <>
      <Breadcrumbs mb={4}>
        <Anchor component={Link} to="/containers" size="sm">
          Containers
        </Anchor>
      </Breadcrumbs>
      <Page title={container.name} actions={<Buttons container={container} />}>
        <Group gap="xs" role="status">
          <Status status={container.status} task={container.task} />
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {container.statusReason}
          </Text>
        </Group>
        <Tabs value={open} onChange={show} keepMounted={false}>
          <Tabs.List ref={list} aria-label="Of this container" style={{ overflowX: 'auto', flexWrap: 'nowrap' }}>
            {tabs.map((tab) => (
              <Tabs.Tab key={tab} value={tab} data-tab={tab}>
                {labels[tab]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {tabs.map((tab) => (
            <Content key={tab} tab={tab} container={container} />
          ))}
        </Tabs>
      </Page>
    </>
  )
}

function Content({ tab, container }: { readonly tab: Tab; readonly container: ContainerView }) {
  const Shown = contents[tab]
  return (
    <Tabs.Panel value={tab} pt="md">
      <Suspense
        fallback={
          <Center py="xl">
            <Loader aria-label="Loading" />
          </Center>
        }
      >
        <Shown container={container} />
      </Suspense>
    </Tabs.Panel>
  )
}
