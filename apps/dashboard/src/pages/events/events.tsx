import { Code, Group, NativeSelect, Switch } from '@mantine/core'
import type { ChangeView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useChangesOfAll } from '../../api/changes-of-all.ts'
import { useChanges } from '../../api/live.ts'
import { merged, recentQuery } from '../../api/overview.ts'
import { nounText, sentenceOf } from '../../api/sentences.ts'
import { Empty } from '../../parts/empty.tsx'
import { ChangedObject } from '../../parts/object-link.tsx'
import { Page } from '../../parts/page.tsx'
import { type Column, ListTable } from '../../parts/table.tsx'
import { useSession } from '../../shell/session.tsx'

/** As many as the server gives at once. */
const most = 200
const kinds = [
  'container',
  'capsule',
  'image',
  'volume',
  'snapshot',
  'backup',
  'network',
  'subnet',
  'port',
  'router',
  'floating_ip',
  'security_group',
  'registry',
  'quota',
] as const

/** Who did what when: the newest changes of the project, or for administrators of the whole cloud. */
export function Events() {
  const session = useSession()
  const [kind, setKind] = useState('')
  const [isAll, setAll] = useState(false)
  const types = kind === '' ? '' : `${kind}.*`
  const own = useQuery({ ...recentQuery({ most, ...(types !== '' && { types }) }), enabled: !isAll })
  const heard = useChanges(most)
  const all = useChangesOfAll(isAll, types, most)
  const { data } = own
  const rows = useMemo(() => {
    const wanted = heard.filter(({ type }) => kind === '' || type.startsWith(`${kind}.`))
    return data && merged(wanted, data, most)
  }, [heard, data, kind])
  const columns = useMemo(() => columnsFor(session.user.id, session.user.name), [session.user])
  return (
    <Page title="Events">
      <Group align="end">
        <NativeSelect
          label="Of"
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value)}
          data={[
            { value: '', label: 'everything' },
            ...kinds.map((value) => ({ value, label: nounText(value).replace(/y$/, 'ie').concat('s') })),
            ...(isAll ? [{ value: 'host', label: 'hosts' }] : []),
          ]}
        />
        {session.isAdmin && (
          <Switch
            label="Every project, and hosts"
            checked={isAll}
            onChange={(event) => {
              setAll(event.currentTarget.checked)
              if (kind === 'host') setKind('')
            }}
            mb={8}
          />
        )}
      </Group>
      <ListTable
        noun="events"
        one="event"
        rows={isAll ? all.changes : rows}
        error={isAll ? all.error : own.error}
        onRetry={isAll ? all.again : () => void own.refetch()}
        columns={columns}
        idOf={({ id }) => id}
        nameOf={({ type }) => type}
        empty={
          <Empty title="Nothing has happened yet">
            Whatever is done in this project, by whom and with what outcome, is told here. The newest {most} are shown;
            the command gantry events reads all that is kept.
          </Empty>
        }
      />
    </Page>
  )
}

function columnsFor(me: string, myName: string): readonly Column<ChangeView>[] {
  return [
    {
      label: 'Time',
      value: ({ at }) => at,
      show: ({ at }) => <time dateTime={at}>{new Date(at).toLocaleString()}</time>,
    },
    {
      label: 'What',
      value: (change) => `${sentenceOf(change).name} ${sentenceOf(change).text}`,
      show: (change) => <What change={change} />,
    },
    { label: 'Type', value: ({ type }) => type },
    { label: 'Who', value: ({ userId }) => (userId === me ? myName : (userId?.slice(0, 8) ?? '')) },
    {
      label: 'Request',
      value: ({ requestId }) => requestId ?? '',
      show: ({ requestId }) => (requestId === null ? '–' : <Code title={requestId}>{requestId.slice(4, 12)}</Code>),
    },
  ]
}

function What({ change }: { readonly change: ChangeView }) {
  const { name, text } = sentenceOf(change)
  return (
    <>
      <ChangedObject change={change} name={name} /> {text}
    </>
  )
}
