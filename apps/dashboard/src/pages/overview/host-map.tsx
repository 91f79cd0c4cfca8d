import { Loader, Text, VisuallyHidden } from '@mantine/core'
import type { HostView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { CSSProperties } from 'react'
import { hostsQuery } from '../../api/nouns.ts'
import { counted } from '../../parts/amounts.ts'
import { Empty } from '../../parts/empty.tsx'
import { Failure } from '../../parts/failure.tsx'
import classes from './overview.module.css'
import { problemOf } from './troubles.tsx'

/** Each host as a cell: how full it is, how many containers it has. */
export function HostMap() {
  const { data, error, refetch } = useQuery(hostsQuery)
  if (error && !data)
    return <Failure error={error} what="The hosts could not be listed" onRetry={() => void refetch()} />
  if (!data) return <Loader size="sm" aria-label="Loading the hosts" />
  if (data.length === 0)
    return (
      <Empty title="No hosts yet">A machine becomes a host when an agent on it joins; the page Hosts says how.</Empty>
    )
  return (
    <>
      <ul className={classes['hosts']}>
        {data.map((host) => (
          <li key={host.id}>
            <Cell host={host} />
          </li>
        ))}
      </ul>
      <Text size="xs" c="dimmed" mt="xs">
        The number is that of containers; the fill is how much of processor or memory is promised, whichever is more.
      </Text>
    </>
  )
}

function Cell({ host }: { readonly host: HostView }) {
  const load = loadOf(host)
  const problem = problemOf(host)
  const state = problem ?? (host.disabled ? 'takes nothing new.' : `${Math.round(load * 100)} % promised.`)
  const colour = load >= 0.95 ? 'red' : load >= 0.8 ? 'orange' : 'harbour'
  const style = {
    '--host-load': `${Math.round(load * 100)}%`,
    '--host-colour': `var(--mantine-color-${colour}-6)`,
  } as CSSProperties
  const label = `${host.name}: ${counted(host.used.containers, 'container')}, ${state}`
  return (
    <Link
      to="/hosts"
      search={{ open: host.id }}
      className={classes['host'] ?? ''}
      style={style}
      title={label}
      {...(problem !== null && { 'data-down': true })}
      {...(host.disabled && { 'data-closed': true })}
    >
      <span className={classes['name']}>{host.name}</span>
      <span className={classes['number']}>
        {host.used.containers}
        <VisuallyHidden> containers, {state}</VisuallyHidden>
      </span>
    </Link>
  )
}

/** 0 to 1: how much of what may be promised is, of that which is scarcer. */
function loadOf({ used, limits }: HostView): number {
  const shares = [used.cpu / limits.cpu, used.memory / limits.memory].filter((share) => Number.isFinite(share))
  return Math.min(1, Math.max(0, ...shares))
}
