import type { AuditRecordView } from '@gantry/facade-native/views'
import { Button, Code, Drawer, Group, Stack } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { auditQuery } from '../../api/audit.ts'
import { useEveryChange } from '../../api/every-change.ts'
import { namesOf } from '../../api/lists.ts'
import { paced } from '../../api/paced.ts'
import { Empty } from '../../parts/empty.tsx'
import { Facts } from '../../parts/facts.tsx'
import { PlaceLink } from '../../parts/object-link.tsx'
import { Page } from '../../parts/page.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { type Column, ListTable } from '../../parts/table.tsx'
import { useProjects } from '../../shell/projects.ts'
import { useSession } from '../../shell/session.tsx'
import { NotFound } from '../not-found.tsx'
import { Filters } from './filters.tsx'
import type { AuditSearch } from './search.ts'
import { containerOf, objectText, reasonText, whoText } from './words.ts'

/** Who called what when, and what was answered: of the whole cloud, for administrators. */
export function Audit() {
  const { isAdmin } = useSession()
  return isAdmin ? <Records /> : <NotFound />
}

/** Milliseconds between two readings of what was written down, however much happens. */
const readEveryMs = 2000

/** Where something happens, somebody called: the newest records are read again, unless one has gone further back. */
function useNewest(hasGoneBack: boolean): void {
  const client = useQueryClient()
  const reading = useMemo(() => paced(() => client.invalidateQueries({ queryKey: ['audit'] }), readEveryMs), [client])
  useEffect(() => reading.stop, [reading])
  const onEvent = useCallback(() => {
    if (!hasGoneBack) reading.ask()
  }, [reading, hasGoneBack])
  useEveryChange(true, undefined, onEvent)
}

interface Row {
  readonly key: string
  readonly record: AuditRecordView
}

function Records() {
  const search = useSearch({ from: '/audit' })
  const navigate = useNavigate({ from: '/audit' })
  const projects = useProjects()
  const found = useInfiniteQuery(auditQuery(search))
  useNewest((found.data?.pages.length ?? 0) > 1)
  const rows = useMemo(() => found.data && rowsOf(found.data.pages.flatMap(({ records }) => records)), [found.data])
  const columns = useMemo(() => columnsFor(namesOf(projects)), [projects])
  const [opened, setOpened] = useState<AuditRecordView | null>(null)
  const change = (more: AuditSearch) => void navigate({ search: (old) => ({ ...old, ...more }), replace: true })
  return (
    <Page
      title="Audit"
      actions={
        <Button variant="default" loading={found.isRefetching} onClick={() => void found.refetch()}>
          Read again
        </Button>
      }
    >
      <Filters search={search} projects={projects.map(({ name }) => name)} onChange={change} />
      <ListTable
        noun="records"
        one="record"
        rows={rows}
        error={found.error}
        onRetry={() => void found.refetch()}
        columns={columns}
        idOf={({ key }) => key}
        nameOf={({ record }) => record.action}
        onOpen={({ record }) => setOpened(record)}
        empty={
          <Empty title={found.hasNextPage ? 'Nothing among the newest' : 'Nothing was recorded'}>
            Each call that changes something, or is refused, is written down here: of which user, from where, on what,
            and with what outcome.
          </Empty>
        }
      />
      {found.hasNextPage && (
        <Group>
          <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Look further back
          </Button>
        </Group>
      )}
      <Drawer
        opened={opened !== null}
        onClose={() => setOpened(null)}
        position="right"
        size="lg"
        title="Record of the audit"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {opened && <Whole record={opened} projectName={namesOf(projects)} />}
      </Drawer>
    </Page>
  )
}

interface WholeProps {
  readonly record: AuditRecordView
  readonly projectName: (id: string | null) => string
}

function Whole({ record, projectName }: WholeProps) {
  const { eventTime, action, outcome, initiator, id } = record
  const container = containerOf(record)
  return (
    <Stack>
      <Facts
        facts={[
          ['Time', new Date(eventTime).toLocaleString()],
          ['What', action],
          [
            'On',
            container === undefined ? (
              objectText(record)
            ) : (
              <PlaceLink key="on" to={`/containers/${container}`}>
                {objectText(record)}
              </PlaceLink>
            ),
          ],
          ['Outcome', <StateBadge key="outcome" state={outcome} reason={null} />],
          ['Answer', reasonText(record)],
          ['Who', whoText(record)],
          ['Project', projectName(initiator.project_id)],
          ['From', initiator.host.address],
          ['Program', initiator.host.agent],
          ['Request', <Code key="request">{id}</Code>],
        ]}
      />
      <Code block aria-label="The whole record" tabIndex={0}>
        {JSON.stringify(record, null, 2)}
      </Code>
    </Stack>
  )
}

/** A request that became a stream has no id of its own. */
function rowsOf(records: readonly AuditRecordView[]): readonly Row[] {
  const known = new Map<string, number>()
  return records.map((record) => {
    const key = `${record.eventTime} ${record.id}`
    const times = known.get(key) ?? 0
    known.set(key, times + 1)
    return { key: `${key} ${times}`, record }
  })
}

function columnsFor(projectName: WholeProps['projectName']): readonly Column<Row>[] {
  return [
    {
      label: 'Time',
      value: ({ record }) => record.eventTime,
      show: ({ record }) => <time dateTime={record.eventTime}>{new Date(record.eventTime).toLocaleString()}</time>,
    },
    { label: 'Who', value: ({ record }) => whoText(record) },
    { label: 'Project', value: ({ record }) => projectName(record.initiator.project_id) },
    { label: 'What', value: ({ record }) => record.action },
    { label: 'On', value: ({ record }) => objectText(record) },
    {
      label: 'Outcome',
      value: ({ record }) => record.outcome,
      show: ({ record }) => <StateBadge state={record.outcome} reason={null} />,
    },
    { label: 'Answer', value: ({ record }) => reasonText(record) },
  ]
}
