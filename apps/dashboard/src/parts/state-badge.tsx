import { Badge, Tooltip } from '@mantine/core'

const colours: Readonly<Record<string, string>> = {
  active: 'teal',
  available: 'teal',
  'in-use': 'harbour',
  connected: 'teal',
  creating: 'blue',
  saving: 'blue',
  error: 'red',
  'not connected': 'red',
  cordoned: 'yellow',
  success: 'teal',
  yes: 'teal',
  pending: 'blue',
  failure: 'red',
}

/** The state of anything but a container; its reason when pointed at. */
export function StateBadge({ state, reason }: { readonly state: string; readonly reason: string | null }) {
  const badge = (
    <Badge color={colours[state] ?? 'gray'} variant="light" tt="none">
      {state}
    </Badge>
  )
  return reason === null || reason === '' ? badge : <Tooltip label={reason}>{badge}</Tooltip>
}
