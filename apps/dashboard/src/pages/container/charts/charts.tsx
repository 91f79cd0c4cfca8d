import type { ContainerView } from '@gantry/facade-native/views'
import { Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { can } from '../../../api/containers.ts'
import { bytesText, short } from '../../../parts/amounts.ts'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { Tiles } from '../../../parts/tiles.tsx'
import { Chart, type Line } from './chart.tsx'
import type { Reading } from './readings.ts'
import { useReadings } from './use-readings.ts'

/** What the container uses, since the page was opened. */
export function Charts({ container }: { readonly container: ContainerView }) {
  const isRunning = can('stats', container)
  const { readings, latest, error } = useReadings(container.id, isRunning)
  const times = useMemo(() => readings.map(({ at }) => at), [readings])
  if (!isRunning && readings.length === 0)
    return <Empty title="Nothing to measure">It is {container.status}, and uses nothing.</Empty>
  const line = (label: string, field: Exclude<keyof Reading, 'at'>, format: (value: number) => string): Line => {
    const last = readings.at(-1)?.[field] ?? null
    return { label, now: last === null ? '…' : format(last), values: readings.map((reading) => reading[field]) }
  }
  return (
    <Stack gap="sm">
      {error && <Failure error={error} what="The figures could not be read; they are asked for again" />}
      <Tiles>
        <Chart
          title="Processor"
          times={times}
          lines={[line('of one core', 'cpu', percent)]}
          format={percent}
          atLeast={5}
        />
        <Chart
          title={latest ? `Memory, of ${bytesText(latest.memoryLimit)}` : 'Memory'}
          times={times}
          lines={[line('used', 'memory', bytesText)]}
          format={bytesText}
          atLeast={1024 * 1024}
          isBytes
        />
        <Chart
          title="Network, per second"
          times={times}
          lines={[line('in', 'received', speed), line('out', 'sent', speed)]}
          format={speed}
          atLeast={1024}
          isBytes
        />
        <Chart
          title="Disk, per second"
          times={times}
          lines={[line('read', 'read', speed), line('written', 'written', speed)]}
          format={speed}
          atLeast={1024}
          isBytes
        />
      </Tiles>
      <Text size="xs" c="dimmed">
        {latest ? `${latest.pids} processes and threads. ` : ''}Measured every two seconds while this page is open and
        in sight.
      </Text>
    </Stack>
  )
}

const percent = (value: number) => `${short(value)} %`
const speed = (value: number) => bytesText(Math.round(value))
