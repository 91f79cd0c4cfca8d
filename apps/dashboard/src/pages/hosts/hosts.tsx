import { Alert, List, Text, TextInput } from '@mantine/core'
import type { HostView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { remove } from '../../api/lists.ts'
import { hostsQuery } from '../../api/nouns.ts'
import { mebibytesText, short } from '../../parts/amounts.ts'
import { Ago } from '../../parts/ago.tsx'
import { FormDialog, textOf } from '../../parts/dialogs.tsx'
import type { Fact } from '../../parts/facts.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { Page } from '../../parts/page.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import type { Column } from '../../parts/table.tsx'
import { Drain } from './drain.tsx'
import { JoinToken } from './join-token.tsx'
import { hindrancesOf } from './standing.ts'

/** The machines that containers run on; administrators only. */
export function Hosts() {
  const query = useQuery(hostsQuery)
  return (
    <Page title="Hosts">
      <Listing
        noun="host"
        query={query}
        columns={columns}
        nameOf={({ name }) => name}
        factsOf={factsOf}
        more={(host) => <Hindrances host={host} />}
        deeds={deeds}
        create={{ label: 'Add host', form: (close) => <JoinToken onClose={close} /> }}
        about="A machine with Docker or Podman becomes a host when an agent on it joins with a token."
      />
    </Page>
  )
}

/** Why nothing new comes to it, and what to do next. */
function Hindrances({ host }: { readonly host: HostView }) {
  const found = hindrancesOf(host)
  if (found.length === 0) return <Text size="sm">Nothing keeps containers from being placed here.</Text>
  return (
    <Alert color="yellow" variant="light" title="Why it takes nothing, or not all">
      <List size="sm" aria-label="Hindrances">
        {found.map(({ why, next }) => (
          <List.Item key={why} style={{ overflowWrap: 'anywhere' }}>
            <b>{why}</b> {next}
          </List.Item>
        ))}
      </List>
    </Alert>
  )
}

function stateOf({ connected, forcedDown, disabled }: HostView): string {
  if (!connected) return 'not connected'
  if (forcedDown) return 'forced down'
  return disabled ? 'cordoned' : 'connected'
}

const promised = (used: number, limit: number, told: (value: number) => string) => `${told(used)} of ${told(limit)}`

const columns: readonly Column<HostView>[] = [
  { label: 'Name', value: ({ name }) => name },
  { label: 'State', value: stateOf, show: (host) => <StateBadge state={stateOf(host)} reason={whyOf(host)} /> },
  { label: 'Zone', value: ({ availabilityZone }) => availabilityZone },
  { label: 'Containers', value: ({ used }) => used.containers, isNumber: true },
  {
    label: 'Cores',
    value: ({ used }) => used.cpu,
    show: ({ used, limits }) => promised(used.cpu, limits.cpu, short),
    isNumber: true,
  },
  {
    label: 'Memory',
    value: ({ used }) => used.memory,
    show: ({ used, limits }) => promised(used.memory, limits.memory, mebibytesText),
    isNumber: true,
  },
]

function whyOf({ disabledReason, networkProblem, volumeProblem }: HostView): string | null {
  const reasons = [disabledReason, networkProblem, volumeProblem].filter((reason) => reason !== null)
  return reasons.length === 0 ? null : reasons.join(' ')
}

function factsOf(host: HostView): Fact[] {
  const { used, limits } = host
  return [
    ['Id', host.id],
    ['State', <StateBadge key="state" state={stateOf(host)} reason={null} />],
    ['Why', whyOf(host)],
    ['Zone', host.availabilityZone],
    ['Containers', limits.containers === null ? used.containers : `${used.containers} of ${limits.containers}`],
    ['Cores promised', promised(used.cpu, limits.cpu, short)],
    ['Memory promised', promised(used.memory, limits.memory, mebibytesText)],
    ['Disk promised', promised(used.disk, limits.disk, (gibibytes) => `${short(gibibytes)} GiB`)],
    ['It has', `${host.cpus} cores, ${mebibytesText(host.memory)}, ${host.disk} GiB`],
    ['Engine', host.engine],
    ['System', `${host.os}, Linux ${host.kernelVersion}, ${host.architecture}`],
    ['Runs in', host.virtualization],
    ['Agent', host.agentVersion],
    ['Runtimes', host.runtimes.join(', ')],
    [
      'Labels',
      Object.entries(host.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    ['Server of Nova', host.instance],
    ['Joined', new Date(host.createdAt).toLocaleString()],
    ['Last seen', host.connected ? 'now' : <Ago key="seen" time={host.lastSeenAt} />],
  ]
}

const deeds: readonly Deed<HostView>[] = [
  {
    label: 'Cordon',
    isPossible: ({ disabled }) => !disabled,
    form: (host, close) => <Cordon host={host} onClose={close} />,
  },
  {
    label: 'Uncordon',
    isPossible: ({ disabled }) => disabled,
    act: ({ id }) => call(`/v1/hosts/${id}/enable`, { method: 'POST' }),
  },
  { label: 'Drain', isDangerous: true, form: (host, close) => <Drain host={host} onClose={close} /> },
  {
    label: 'Forget',
    isDangerous: true,
    isPossible: ({ connected }) => !connected,
    question: () => 'It must hold no containers. Should its agent come back, it has to join anew.',
    act: ({ id }) => remove(`/v1/hosts/${id}`),
  },
]

function Cordon({ host, onClose }: { readonly host: HostView; readonly onClose: () => void }) {
  const cordon = (form: FormData) =>
    call(`/v1/hosts/${host.id}/disable`, { method: 'POST', query: { reason: textOf(form, 'reason') } })
  return (
    <FormDialog title={`Cordon ${host.name}`} verb="Cordon" nouns={['host']} onClose={onClose} onSubmit={cordon}>
      <TextInput
        name="reason"
        label="Reason"
        description="For other administrators. What runs there stays; nothing new comes."
        maxLength={255}
        data-autofocus
      />
    </FormDialog>
  )
}
