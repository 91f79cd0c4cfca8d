import { Alert, Stack, Text } from '@mantine/core'
import type { ContainerSummaryView, ContainerView, HostView } from '@gantry/facade-native/views'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { hostsQuery } from '../../api/nouns.ts'
import { troubledQuery } from '../../api/overview.ts'
import { counted } from '../../parts/amounts.ts'
import { PlaceLink } from '../../parts/object-link.tsx'

interface TroublesProps {
  readonly summary: ContainerSummaryView | undefined
  readonly isAdmin: boolean
}

/** What is wrong and why; nothing where all is well. */
export function Troubles({ summary, isAdmin }: TroublesProps) {
  const { Error: failed = 0, Unknown: unknown = 0 } = summary?.byStatus ?? {}
  const count = failed + unknown + (summary?.unhealthy ?? 0)
  const { data: containers = [] } = useQuery({ ...troubledQuery, enabled: count > 0 })
  const { data: hosts = [] } = useQuery({ ...hostsQuery, enabled: isAdmin })
  const ailing = isAdmin ? hosts.filter((host) => problemOf(host) !== null) : []
  if (count === 0 && ailing.length === 0) return null
  const title = [
    ...(count > 0 ? [`${counted(count, 'container')} in trouble`] : []),
    ...(ailing.length > 0 ? [counted(ailing.length, 'host in trouble', 'hosts in trouble')] : []),
  ].join(', ')
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title}>
      <Stack gap={6} component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {ailing.slice(0, 10).map((host) => (
          <Text key={host.id} component="li" size="sm">
            <PlaceLink to="/hosts" search={{ open: host.id }}>
              {host.name}
            </PlaceLink>{' '}
            {problemOf(host)}
          </Text>
        ))}
        {count > 0 && containers.map((container) => <Trouble key={container.id} container={container} />)}
        {count > containers.length && containers.length > 0 && (
          <Text component="li" size="sm">
            And{' '}
            <PlaceLink to="/containers" search={{ status: 'Error,Unknown' }}>
              {counted(count - containers.length, 'more', 'more')}
            </PlaceLink>
            .
          </Text>
        )}
      </Stack>
    </Alert>
  )
}

function Trouble({ container: { id, name, status, statusReason, health } }: { readonly container: ContainerView }) {
  const what = status === 'Running' && health === 'unhealthy' ? 'runs, but its health check fails' : status
  return (
    <Text component="li" size="sm" style={{ overflowWrap: 'anywhere' }}>
      <PlaceLink to={`/containers/${id}`}>{name}</PlaceLink> {what}
      {statusReason !== null && `: ${statusReason}`}
    </Text>
  )
}

/** What an administrator should look at; null: nothing. */
export function problemOf({ connected, forcedDown, networkProblem, volumeProblem }: HostView): string | null {
  if (!connected) return 'is not connected: its agent does not answer.'
  if (forcedDown) return 'was declared down by an administrator.'
  if (networkProblem !== null) return `cannot build networks: ${networkProblem}`
  if (volumeProblem !== null) return `cannot hold volumes: ${volumeProblem}`
  return null
}
