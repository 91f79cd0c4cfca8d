import { ScrollArea } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import type { KeyboardEvent, MouseEvent } from 'react'
import { statusColour } from '../../parts/status.tsx'
import type { Lane, Row, Topology, Touch } from './layout.ts'
import classes from './picture.module.css'

const rowHeight = 40
const headHeight = 64
const boxX = 2
const boxHeight = 30
/** Of a letter of 13 px, more or less. */
const letter = 7.4
/** Far enough apart to be told from each other by most eyes, in both schemes. */
const colours = ['harbour-6', 'grape-6', 'orange-6', 'indigo-6', 'lime-7', 'pink-6']

/** Across, in pixels: lanes and names take the room that there is. */
interface Measure {
  readonly boxWidth: number
  readonly laneWidth: number
}

function measureFor(room: number, lanes: number): Measure {
  const boxWidth = Math.min(360, Math.max(172, room * 0.16))
  const laneWidth = Math.min(320, Math.max(128, (room - boxX - boxWidth - 32) / Math.max(1, lanes)))
  return { boxWidth, laneWidth }
}

const xOf = ({ boxWidth, laneWidth }: Measure, lane: number) => boxX + boxWidth + 32 + lane * laneWidth
const colourOf = ({ isExternal }: Lane, index: number) =>
  `var(--mantine-color-${isExternal ? 'gray-6' : (colours[index % colours.length] ?? 'harbour-6')})`

/** Networks from top to bottom, whatever is on them from left to right. */
export function Picture({ topology: { lanes, rows } }: { readonly topology: Topology }) {
  const { ref, width: room } = useElementSize()
  const measure = measureFor(room, lanes.length)
  const [width, height] = [xOf(measure, lanes.length), headHeight + Math.max(1, rows.length) * rowHeight + 8]
  const laneColours = lanes.map(colourOf)
  return (
    <ScrollArea type="auto" ref={ref}>
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        className={classes['picture']}
        role="group"
        aria-label={`${lanes.length} networks with ${rows.length} routers, containers and groups`}
      >
        {lanes.map((lane, index) => (
          <LaneLine
            key={lane.id}
            lane={lane}
            measure={measure}
            index={index}
            height={height}
            colour={laneColours[index] ?? ''}
          />
        ))}
        {rows.map((row, index) => (
          <RowLine
            key={row.id}
            row={row}
            measure={measure}
            y={headHeight + index * rowHeight + rowHeight / 2}
            colours={laneColours}
          />
        ))}
      </svg>
    </ScrollArea>
  )
}

interface LaneLineProps {
  readonly lane: Lane
  readonly measure: Measure
  readonly index: number
  readonly height: number
  readonly colour: string
}

function LaneLine({ lane: { id, name, cidrs, isExternal }, measure, index, height, colour }: LaneLineProps) {
  const x = xOf(measure, index)
  const letters = Math.floor(measure.laneWidth / 8.4)
  const link = useSvgLink('/networks', { open: id })
  return (
    <g>
      <a {...link}>
        <title>{`Network ${name} ${cidrs.join(', ')}`}</title>
        <text x={x - 20} y={18} className={classes['lane']}>
          {short(name, letters)}
        </text>
        <text x={x - 20} y={36} className={classes['address']}>
          {isExternal ? 'the way out' : short(cidrs.join(', '), letters + 2)}
        </text>
      </a>
      <line x1={x} y1={46} x2={x} y2={height - 4} stroke={colour} strokeWidth={6} strokeLinecap="round" />
    </g>
  )
}

interface RowLineProps {
  readonly row: Row
  readonly measure: Measure
  readonly y: number
  readonly colours: readonly string[]
}

function RowLine({ row, measure, y, colours: laneColours }: RowLineProps) {
  const { boxWidth } = measure
  const plugged = row.touches.filter(({ isFloating }) => !isFloating)
  const end = Math.max(boxX + boxWidth, ...plugged.map(({ lane }) => xOf(measure, lane)))
  return (
    <g>
      <line x1={boxX + boxWidth} y1={y} x2={end} y2={y} className={classes['wire']} />
      {row.touches.map((touch) => (
        <Dot
          key={`${touch.lane} ${String(touch.isFloating)}`}
          touch={touch}
          measure={measure}
          y={y}
          from={end}
          colour={laneColours[touch.lane] ?? ''}
        />
      ))}
      <Box row={row} boxWidth={boxWidth} y={y} />
    </g>
  )
}

interface DotProps {
  readonly touch: Touch
  readonly measure: Measure
  readonly y: number
  /** Where the wire of its row ends. */
  readonly from: number
  readonly colour: string
}

function Dot({ touch: { lane, label, isFloating }, measure, y, from, colour }: DotProps) {
  const x = xOf(measure, lane)
  return (
    <>
      {isFloating && x > from && <line x1={from} y1={y} x2={x} y2={y} className={classes['floating']} />}
      <circle cx={x} cy={y} r={6} stroke={colour} strokeWidth={3} className={classes['dot']} />
      <text x={x + 11} y={y - 5} className={classes['address']}>
        <title>{isFloating ? `Floating IP ${label}` : label}</title>
        {short(label, Math.floor(measure.laneWidth / 8))}
      </text>
    </>
  )
}

const told = { router: 'Router', container: 'Container', group: 'Group' } as const

interface BoxProps {
  readonly row: Row
  readonly boxWidth: number
  readonly y: number
}

function Box({ row: { kind, id, name, status }, boxWidth, y }: BoxProps) {
  const [to, search] = placeOf(kind, id)
  const link = useSvgLink(to, search)
  const state = status === null ? '' : `, ${status}`
  return (
    <a {...link}>
      <title>{`${told[kind]} ${name}${state}`}</title>
      <rect
        x={boxX}
        y={y - boxHeight / 2}
        width={boxWidth}
        height={boxHeight}
        rx={kind === 'router' ? boxHeight / 2 : 4}
        className={classes['box']}
      />
      {status !== null && (
        <circle cx={boxX + 14} cy={y} r={5} fill={`var(--mantine-color-${statusColour(status)}-6)`} />
      )}
      <text x={boxX + 28} y={y + 5} className={classes['name']}>
        {short(name, Math.floor((boxWidth - 32) / letter))}
      </text>
    </a>
  )
}

function placeOf(kind: Row['kind'], id: string): [string, Readonly<Record<string, string>>] {
  if (kind === 'router') return ['/networks', { tab: 'routers', open: id }]
  if (kind === 'container') return [`/containers/${encodeURIComponent(id)}`, {}]
  return ['/containers', {}]
}

/** A link of SVG's own, which the router follows without loading the page anew. */
function useSvgLink(to: string, search: Readonly<Record<string, string>>) {
  const navigate = useNavigate()
  const query = new URLSearchParams(search).toString()
  return {
    href: `/ui${to}${query === '' ? '' : `?${query}`}`,
    className: classes['link'],
    onClick: (event: MouseEvent | KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      void navigate({ to, search })
    },
  }
}

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
