import type { ContainerView, VerdictsView } from '@gantry/facade-native/views'
import { Alert, Button, Group, List, Loader, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { containerPath } from '../../api/containers.ts'
import { counted } from '../../parts/amounts.ts'
import { Failure } from '../../parts/failure.tsx'
import { PlaceLink } from '../../parts/object-link.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { type Column, ListTable } from '../../parts/table.tsx'

type Verdict = VerdictsView['hosts'][number]

/** As it is when one asks: what hosts have room for changes with every placement. */
function usePlacement(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ['placement', id],
    enabled,
    staleTime: 0,
    queryFn: ({ signal }) => call<VerdictsView>(`${containerPath(id)}/placement`, { signal }),
  })
}

/** Whether it was given up because no host fits; the sentence is the core's `placement.no-host`. */
export function hasNoHost({ status, statusReason }: Pick<ContainerView, 'status' | 'statusReason'>): boolean {
  return status === 'Error' && statusReason?.startsWith('No host fits') === true
}

/** Why no host takes it, as things are now, and what to do next. */
export function NoHost({ container }: { readonly container: ContainerView }) {
  const { data, error, refetch, isFetching } = usePlacement(container.id, true)
  if (error) return <Failure error={error} what="Why no host fits could not be read" onRetry={() => void refetch()} />
  if (!data) return <Loader size="sm" aria-label="Asking the hosts" />
  const { total, fitting, reasons } = data
  if (fitting > 0) {
    return (
      <Alert color="teal" variant="light" title={`By now ${counted(fitting, 'host')} would take it`}>
        Start it again, and it is placed there.
      </Alert>
    )
  }
  return (
    <Alert color="red" variant="light" title="Why no host fits">
      {total === 0 ? (
        <Text size="sm">No host has joined this cloud yet. An administrator adds one on the page Hosts.</Text>
      ) : (
        <List size="sm" aria-label="Reasons">
          {reasons.map(({ why, hosts, remedy }) => (
            <List.Item key={why}>
              <b>
                {hosts} of {counted(total, 'host')} {hosts === 1 ? 'is' : 'are'} {why}.
              </b>{' '}
              {remedy}
            </List.Item>
          ))}
        </List>
      )}
      <Button mt="sm" size="xs" variant="default" loading={isFetching} onClick={() => void refetch()}>
        Ask again
      </Button>
    </Alert>
  )
}

/** For administrators: what speaks for and against each host, as if the container were on none. */
export function WhyHere({ container: { id, host } }: { readonly container: ContainerView }) {
  const [isAsked, setAsked] = useState(false)
  const { data, error, refetch, isFetching } = usePlacement(id, isAsked)
  if (!isAsked) {
    return (
      <Group>
        <Button size="xs" variant="default" onClick={() => setAsked(true)}>
          {host === null ? 'Compare hosts' : 'Why this host?'}
        </Button>
      </Group>
    )
  }
  return (
    <Stack gap="sm">
      {data && <Text size="sm">{sentenceOf(data, host)}</Text>}
      <ListTable
        noun="hosts"
        one="host"
        rows={data?.hosts}
        error={error}
        onRetry={() => void refetch()}
        columns={columns}
        idOf={(verdict) => verdict.id}
        nameOf={({ name }) => name}
        empty={<Text size="sm">No host has joined yet.</Text>}
      />
      <Group>
        <Button size="xs" variant="default" loading={isFetching} onClick={() => void refetch()}>
          Ask again
        </Button>
      </Group>
    </Stack>
  )
}

function sentenceOf({ fitting, total, hosts }: VerdictsView, host: string | null): string {
  const all = `${fitting} of ${counted(total, 'host')} would take it now.`
  const there = hosts.find(({ isThere }) => isThere)
  if (!there || host === null) return `It is on no host. ${all}`
  if (there.refusals.length > 0) {
    return `It stays on ${host}, which would not be chosen again (${there.refusals.join('; ')}). ${all}`
  }
  return `It is on ${host}, which nothing speaks against: it was the least promised of those that fit, or the first with room, as the servers are set (--placement). ${all}`
}

const columns: readonly Column<Verdict>[] = [
  {
    label: 'Host',
    value: ({ name }) => name,
    show: ({ id, name, isThere }) => (
      <>
        <PlaceLink to="/hosts" search={{ open: id }}>
          {name}
        </PlaceLink>
        {isThere && ' (here)'}
      </>
    ),
  },
  {
    label: 'Takes it',
    value: ({ refusals }) => (refusals.length === 0 ? 'yes' : 'no'),
    show: ({ refusals }) => <StateBadge state={refusals.length === 0 ? 'yes' : 'no'} reason={null} />,
  },
  { label: 'The host is', value: ({ refusals }) => refusals.join('; ') },
]
