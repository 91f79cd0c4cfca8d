import { Group, Paper, Text, UnstyledButton } from '@mantine/core'
import type { ContainerSummaryView } from '@gantry/facade-native/views'
import { Link } from '@tanstack/react-router'
import { statusColour } from '../../parts/status.tsx'
import classes from './overview.module.css'

/** As people think of them: what runs first, what is broken next. */
const order = [
  'Running',
  'Error',
  'Unknown',
  'Dead',
  'Creating',
  'Restarting',
  'Rebuilding',
  'Paused',
  'Created',
  'Stopped',
]

/** How many there are in each status; each leads to them. */
export function Counts({ summary: { total, byStatus } }: { readonly summary: ContainerSummaryView }) {
  const rank = (status: string) => (order.indexOf(status) + order.length + 1) % (order.length + 1)
  const statuses = Object.keys(byStatus).toSorted((a, b) => rank(a) - rank(b))
  return (
    <Group gap="sm" component="ul" p={0} m={0} aria-label="Containers by status">
      <Count label="Containers" count={total} colour="harbour" search={{}} />
      {statuses.map((status) => (
        <Count
          key={status}
          label={status}
          count={byStatus[status] ?? 0}
          colour={statusColour(status)}
          search={{ status }}
        />
      ))}
    </Group>
  )
}

interface CountProps {
  readonly label: string
  readonly count: number
  readonly colour: string
  readonly search: { readonly status?: string }
}

function Count({ label, count, colour, search }: CountProps) {
  return (
    <Paper component="li" withBorder className={classes['count'] ?? ''}>
      <UnstyledButton component={Link} to="/containers" search={search as never} px="md" py="xs" display="block">
        <Text size="xl" fw={700} lh={1.2}>
          {count.toLocaleString('en')}
        </Text>
        <Group gap={6} wrap="nowrap">
          <span className={classes['dot']} style={{ background: `var(--mantine-color-${colour}-6)` }} />
          <Text size="sm" c="dimmed">
            {label}
          </Text>
        </Group>
      </UnstyledButton>
    </Paper>
  )
}
