import { Badge, Tooltip } from '@mantine/core'

const colours: Readonly<Record<string, string>> = {
  Running: 'teal',
  Creating: 'blue',
  Created: 'gray',
  Stopped: 'gray',
  Paused: 'yellow',
  Restarting: 'blue',
  Rebuilding: 'blue',
  Unknown: 'orange',
  Error: 'red',
  Dead: 'red',
  Deleting: 'gray',
}

export function statusColour(status: string): string {
  return colours[status] ?? 'gray'
}

interface StatusProps {
  readonly status: string
  /** What is being done to it. */
  readonly task?: string | null
  readonly reason?: string | null
}

/** The state of a container in one word and one colour; its reason when pointed at. */
export function Status({ status, task = null, reason = null }: StatusProps) {
  const text = task === null ? status : `${status} · ${task.replaceAll('_', ' ')}`
  const badge = (
    <Badge color={colours[status] ?? 'gray'} variant="light" tt="none" aria-label={`Status: ${text}`}>
      {text}
    </Badge>
  )
  return reason === null || reason === '' ? badge : <Tooltip label={reason}>{badge}</Tooltip>
}
