import type { ContainerView } from '@gantry/facade-native/views'
import { Code, Paper, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { securityGroupsQuery } from '../../api/lists.ts'
import { networksQuery, volumesQuery } from '../../api/nouns.ts'
import { Ago } from '../../parts/ago.tsx'
import { bytesText, mebibytesText } from '../../parts/amounts.ts'
import { type Fact, Facts } from '../../parts/facts.tsx'
import { useSession } from '../../shell/session.tsx'
import { Tiles } from '../../parts/tiles.tsx'
import { Environment } from './environment.tsx'
import { hasNoHost, NoHost, WhyHere } from './placement.tsx'
import { Ports } from './ports.tsx'

/** All that is known of a container. */
export function Overview({ container }: { readonly container: ContainerView }) {
  const { isAdmin, project } = useSession()
  return (
    <Stack>
      {hasNoHost(container) && <NoHost container={container} />}
      <Sections container={container} isAdmin={isAdmin} isForeign={container.projectId !== project.id} />
    </Stack>
  )
}

interface SectionsProps {
  readonly container: ContainerView
  readonly isAdmin: boolean
  /** Of another project than the one that is signed in to. */
  readonly isForeign: boolean
}

function Sections({ container, isAdmin, isForeign }: SectionsProps) {
  return (
    <Tiles>
      <Section title="State">
        <Facts facts={stateOf(container, isAdmin)} />
        {isForeign && <Facts facts={[['Project', <Code key="project">{container.projectId}</Code>]]} />}
        {isAdmin && <WhyHere container={container} />}
      </Section>
      <Section title="Program">
        <Facts facts={programOf(container)} />
      </Section>
      <Section title="Network">
        <Addresses container={container} />
        <Groups ids={container.securityGroups} />
        <Ports container={container} />
      </Section>
      <Section title="Limits and policy">
        <Facts facts={limitsOf(container)} />
      </Section>
      <Section title="Volumes and files">
        <Mounts mounts={container.mounts} />
      </Section>
      <Section title="Environment">
        <Environment environment={container.environment} />
      </Section>
      <Section title="Labels">
        <Labels labels={container.labels} />
      </Section>
    </Tiles>
  )
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title} miw={0}>
      <Stack gap="sm">
        <Title order={2} size="h5">
          {title}
        </Title>
        {children}
      </Stack>
    </Paper>
  )
}

function stateOf(container: ContainerView, isAdmin: boolean): readonly Fact[] {
  const { health, exitCode, oomKilled, host, availabilityZone, capsule } = container
  const when = (time: string | null) => time && <Ago time={time} />
  return [
    ['Id', <Code key="id">{container.id}</Code>],
    ['Created', when(container.createdAt)],
    ['Started', when(container.startedAt)],
    ['Ended', when(container.finishedAt)],
    ...(exitCode === null ? [] : [['Exit code', oomKilled ? `${exitCode}, out of memory` : `${exitCode}`] as const]),
    ...(health === null ? [] : [['Health', health] as const]),
    ['Restarts', `${container.restartCount}`],
    ['Zone', availabilityZone],
    ...(isAdmin ? [['Host', host] as const] : []),
    ...(capsule === null ? [] : [['Capsule', capsule] as const]),
  ]
}

function programOf({ image, imageDigest, command, entrypoint, workdir, hostname, interactive, tty }: ContainerView) {
  const words = (list: readonly string[]) =>
    list.length > 0 && (
      <Code key="words">{list.map((word) => (/[\s"']/.test(word) ? JSON.stringify(word) : word)).join(' ')}</Code>
    )
  return [
    ['Image', image],
    ['Digest', imageDigest && <Code key="digest">{imageDigest}</Code>],
    ['Entrypoint', words(entrypoint) || null],
    ['Command', words(command) || null],
    ['Folder', workdir],
    ['Host name', hostname],
    ['Input', interactive ? (tty ? 'open, a terminal' : 'open') : 'closed'],
  ] satisfies Fact[]
}

function limitsOf(container: ContainerView): readonly Fact[] {
  const { cpu, cpuPolicy, memory, disk, restartPolicy, healthcheck } = container
  const { name, maxRetries } = restartPolicy
  const tries = name === 'on-failure' && maxRetries > 0 ? `, at most ${maxRetries} times` : ''
  const yes = (value: boolean) => (value ? 'yes' : 'no')
  return [
    ['CPU', `${cpu} cores, ${cpuPolicy}`],
    ['Memory', mebibytesText(memory)],
    ['Disk', disk === 0 ? 'not counted' : `${disk} GiB`],
    ['Restart', `${name}${tries}`],
    ['Removed at its end', yes(container.autoRemove)],
    ['Healed elsewhere', yes(container.autoHeal)],
    ...(container.privileged ? [['Privileged', 'yes'] as const] : []),
    ...(container.runtime === null ? [] : [['Runtime', container.runtime] as const]),
    ...(healthcheck === null
      ? []
      : [['Health check', `${healthcheck.command} every ${healthcheck.intervalSeconds} s`] as const]),
  ]
}

function Addresses({ container: { addresses } }: { readonly container: ContainerView }) {
  const { data: networks = [] } = useQuery(networksQuery)
  if (addresses.length === 0) return <Text size="sm">It is in no network.</Text>
  return (
    <Table layout="fixed" verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Address</Table.Th>
          <Table.Th>Network</Table.Th>
          <Table.Th visibleFrom="sm">MAC</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {addresses.map(({ address, network, port, mac }) => (
          <Table.Tr key={`${port} ${address}`}>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{address}</Table.Td>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>
              {networks.find(({ id }) => id === network)?.name ?? network}
            </Table.Td>
            <Table.Td visibleFrom="sm">{mac}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Groups({ ids }: { readonly ids: readonly string[] }) {
  const { data: groups = [] } = useQuery(securityGroupsQuery)
  const names = ids.map((id) => groups.find((group) => group.id === id)?.name ?? id)
  return <Facts facts={[['Security groups', names.join(', ')]]} />
}

function Mounts({ mounts }: Pick<ContainerView, 'mounts'>) {
  const { data: volumes = [] } = useQuery(volumesQuery)
  if (mounts.length === 0) return <Text size="sm">None. What it writes goes with it.</Text>
  return (
    <Facts
      facts={mounts.map(({ destination, volumeId, readOnly, size }) => {
        const what =
          volumeId === null
            ? `a file of ${bytesText(size ?? 0)}`
            : `volume ${volumes.find(({ id }) => id === volumeId)?.name || volumeId}`
        return [destination, readOnly ? `${what}, read only` : what] as const
      })}
    />
  )
}

function Labels({ labels }: Pick<ContainerView, 'labels'>) {
  const entries = Object.entries(labels)
  if (entries.length === 0) return <Text size="sm">None.</Text>
  return <Facts facts={entries.sort(([a], [b]) => (a < b ? -1 : 1))} />
}
