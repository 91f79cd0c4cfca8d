import 'uplot/dist/uPlot.min.css'
import { Group, Paper, Text, useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import UPlot, { type AlignedData, type Options } from 'uplot'

export interface Line {
  readonly label: string
  /** The latest value as text. */
  readonly now: string
  readonly values: readonly (number | null)[]
}

interface ChartProps {
  readonly title: string
  /** Epoch seconds, one for each value. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  /** The least that the axis reaches to. */
  readonly atLeast: number
  /** They are counted by 1024. */
  readonly isBytes?: boolean
}

const powersOfTwo = Array.from({ length: 46 }, (_, power) => 2 ** power)

/** Of a contrast of at least 3 to the ground that they are drawn on. */
const colours = { light: ['#0b7285', '#c2410c'], dark: ['#40acbb', '#fb923c'] } as const
const inks = {
  light: { text: '#495057', grid: '#e9ecef' },
  dark: { text: '#c9c9c9', grid: '#3b3b3b' },
} as const
const height = 180
const leastSeconds = 60

/** A few lines over time; their latest values stand as text above, for whoever does not see them. */
export function Chart({ title, times, lines, format, atLeast, isBytes = false }: ChartProps) {
  const scheme = useComputedColorScheme('light')
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(null)
  const latest = useRef({ format, data: dataOf(times, lines) })
  latest.current = { format, data: dataOf(times, lines) }
  const labels = lines.map(({ label }) => label).join('\n')
  useEffect(() => {
    const element = place.current
    if (!element) return
    const options = optionsOf(labels.split('\n'), scheme, { atLeast, isBytes }, (value) => latest.current.format(value))
    const made = new UPlot({ ...options, width: element.clientWidth, height }, latest.current.data, element)
    plot.current = made
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    watch.observe(element)
    return () => {
      plot.current = null
      watch.disconnect()
      made.destroy()
    }
  }, [labels, scheme, atLeast, isBytes])
  useEffect(() => {
    plot.current?.setData(latest.current.data)
  }, [times])
  return (
    <Paper withBorder p="sm" component="figure" m={0} miw={0} aria-label={title}>
      <Group justify="space-between" component="figcaption" gap="xs">
        <Text fw={600} size="sm">
          {title}
        </Text>
        <Group gap="sm">
          {lines.map(({ label, now }, index) => (
            <Text key={label} size="sm">
              <span style={{ color: colours[scheme][index] }} aria-hidden>
                ●{' '}
              </span>
              {label} {now}
            </Text>
          ))}
        </Group>
      </Group>
      <div ref={place} style={{ height, overflow: 'hidden' }} aria-hidden />
    </Paper>
  )
}

function dataOf(times: readonly number[], lines: readonly Line[]): AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])]
}

function spanOf(times: ArrayLike<number>): [number, number] {
  const [first = 0, last = 0] = [times[0], times[times.length - 1]]
  return [Math.min(first, last - leastSeconds), last]
}

const timeText = (at: number) => new Date(at * 1000).toLocaleTimeString()

function optionsOf(
  labels: readonly string[],
  scheme: 'light' | 'dark',
  { atLeast, isBytes }: { readonly atLeast: number; readonly isBytes: boolean },
  format: (value: number) => string,
): Omit<Options, 'width' | 'height'> {
  const { text, grid } = inks[scheme]
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } }
  return {
    legend: { show: false },
    // The last time is written under the edge.
    padding: [12, 40, 0, 0],
    cursor: { drag: { x: false, y: false } },
    scales: {
      // The first readings begin at the right, as all later ones do; uPlot would give a single one a day.
      x: { range: ({ data: [times] }) => spanOf(times) },
      y: { range: (_plot, _min, max) => [0, Math.max(atLeast, (max || 0) * 1.1)] },
    },
    axes: [
      { ...axis, space: 90, values: ({ data: [times] }, splits) => splits.map(times.length > 0 ? timeText : () => '') },
      { ...axis, size: 84, values: (_plot, splits) => splits.map(format), ...(isBytes && { incrs: [...powersOfTwo] }) },
    ],
    series: [
      {},
      ...labels.map((label, index) => ({
        label,
        stroke: colours[scheme][index] ?? text,
        width: 2,
        points: { show: false },
      })),
    ],
  }
}
