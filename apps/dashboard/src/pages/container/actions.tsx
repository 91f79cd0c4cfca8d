import type { ActionView, ChangeView, ContainerView } from '@gantry/facade-native/views'
import { Badge, Button, Center, Collapse, Group, Loader, Stack, Text, Timeline } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { containerPath } from '../../api/containers.ts'
import { Ago } from '../../parts/ago.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import { pastChanges } from './past-changes.ts'

const actionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['container', id, 'actions'],
    queryFn: async ({ signal }) =>
      (await call<{ actions: ActionView[] }>(`${containerPath(id)}/actions`, { signal })).actions,
  })
const actionQuery = (id: string, requestId: string) =>
  queryOptions({
    queryKey: ['container', id, 'actions', requestId],
    queryFn: ({ signal }) =>
      call<ActionView>(`${containerPath(id)}/actions/${encodeURIComponent(requestId)}`, { signal }),
  })
const changesQuery = (id: string) =>
  queryOptions({
    queryKey: ['container', id, 'changes'],
    queryFn: ({ signal }) => pastChanges(id, signal),
  })

/** What was asked of the container and how it went, and what happened to it without being asked, newest first. */
export function Actions({ container: { id } }: { readonly container: ContainerView }) {
  const actions = useQuery(actionsQuery(id))
  const changes = useQuery(changesQuery(id))
  if (actions.error) {
    const again = () => void actions.refetch()
    return <Failure error={actions.error} what="The actions could not be listed" onRetry={again} />
  }
  if (!actions.data) {
    return (
      <Center py="xl">
        <Loader aria-label="Loading the actions" />
      </Center>
    )
  }
  const entries = entriesOf(actions.data, changes.data ?? [])
  if (entries.length === 0) return <Empty title="Nothing yet">What is asked of the container is listed here.</Empty>
  return (
    <Stack>
      {changes.error && (
        <Failure
          error={changes.error}
          what="What happened by itself could not be listed"
          onRetry={() => void changes.refetch()}
        />
      )}
      <Timeline bulletSize={14} lineWidth={2} active={entries.length}>
        {entries.map((entry) =>
          entry.kind === 'action' ? (
            <Timeline.Item key={entry.action.id} color={colourOf(entry.action)}>
              <Action containerId={id} action={entry.action} />
            </Timeline.Item>
          ) : (
            <Timeline.Item key={entry.change.id} color="gray">
              <StatusChange change={entry.change} />
            </Timeline.Item>
          ),
        )}
      </Timeline>
    </Stack>
  )
}

type Entry =
  | { readonly kind: 'action'; readonly at: string; readonly action: ActionView }
  | { readonly kind: 'change'; readonly at: string; readonly change: ChangeView }

/** Of the changes, those of the status: the others tell of the same actions. */
function entriesOf(actions: readonly ActionView[], changes: readonly ChangeView[]): readonly Entry[] {
  const entries: Entry[] = [
    ...actions.map((action) => ({ kind: 'action', at: action.startedAt, action }) as const),
    ...changes
      .filter(({ type }) => type === 'container.status')
      .map((change) => ({ kind: 'change', at: change.at, change }) as const),
  ]
  return entries.sort((a, b) => (a.at < b.at ? 1 : -1))
}

function colourOf({ error, finishedAt }: ActionView): string {
  if (error !== null) return 'red'
  return finishedAt === null ? 'blue' : 'teal'
}

/** `add_security_group` is `Add security group`. */
function wordsOf(name: string): string {
  const text = name.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function Action({ containerId, action }: { readonly containerId: string; readonly action: ActionView }) {
  const [isOpen, { toggle }] = useDisclosure()
  return (
    <>
      <Group gap="xs">
        <Text fw={600} size="sm">
          {wordsOf(action.name)}
        </Text>
        <Badge color={colourOf(action)} variant="light" tt="none">
          {outcomeOf(action)}
        </Badge>
        <Button size="compact-xs" variant="subtle" aria-expanded={isOpen} onClick={toggle}>
          {isOpen ? 'Hide the steps' : 'Steps'}
        </Button>
      </Group>
      <Text size="xs" c="dimmed">
        <Ago time={action.startedAt} /> · {action.requestId}
      </Text>
      {action.error !== null && (
        <Text size="sm" mt={4} style={{ overflowWrap: 'anywhere' }}>
          {action.error}
        </Text>
      )}
      <Collapse expanded={isOpen}>
        {isOpen && <Steps containerId={containerId} requestId={action.requestId} />}
      </Collapse>
    </>
  )
}

function outcomeOf({ error, startedAt, finishedAt }: ActionView): string {
  if (finishedAt === null) return 'under way'
  return `${error === null ? 'done' : 'failed'} in ${lengthOf(startedAt, finishedAt)}`
}

function lengthOf(from: string, to: string): string {
  const milliseconds = Math.max(0, Date.parse(to) - Date.parse(from))
  return milliseconds < 1000 ? `${milliseconds} ms` : `${Number((milliseconds / 1000).toPrecision(3))} s`
}

function Steps({ containerId, requestId }: { readonly containerId: string; readonly requestId: string }) {
  const { data, error, refetch } = useQuery(actionQuery(containerId, requestId))
  if (error) return <Failure error={error} what="The steps could not be read" onRetry={() => void refetch()} />
  if (!data) return <Loader size="xs" mt="xs" aria-label="Loading the steps" />
  const { events = [] } = data
  if (events.length === 0) return <Text size="sm">No steps were written down.</Text>
  return (
    <ul style={{ margin: '6px 0 0', paddingLeft: 18 }}>
      {events.map(({ name, startedAt, finishedAt, result, detail }) => (
        <li key={`${name} ${startedAt}`}>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {wordsOf(name)}: {result ?? 'under way'}
            {finishedAt !== null && `, ${lengthOf(startedAt, finishedAt)}`}
            {detail !== null && detail !== '' && ` (${detail})`}
          </Text>
        </li>
      ))}
    </ul>
  )
}

function StatusChange({ change: { at, data } }: { readonly change: ChangeView }) {
  const word = (value: unknown) => (typeof value === 'string' ? value : '')
  const before = word(data['before'])
  return (
    <>
      <Text size="sm">{before === '' ? word(data['status']) : `${before} became ${word(data['status'])}`}</Text>
      <Text size="xs" c="dimmed">
        <Ago time={at} />
      </Text>
      {word(data['statusReason']) !== '' && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {word(data['statusReason'])}
        </Text>
      )}
    </>
  )
}
