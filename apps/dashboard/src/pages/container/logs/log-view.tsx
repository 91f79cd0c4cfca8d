import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useRef } from 'react'
import { marked, type Piece, piecesOf } from './ansi.ts'
import type { LogLine } from './log-buffer.ts'
import classes from './log.module.css'

interface LogViewProps {
  readonly lines: readonly LogLine[]
  /** In small letters. */
  readonly wanted: string
  /** The number of the line that the search is at. */
  readonly current: number | null
  readonly isFollowing: boolean
  /** The reader has left the end, or come back to it. */
  readonly onFollow: (isFollowing: boolean) => void
}

/** Lines, of which only those in sight are there. */
export function LogView({ lines, wanted, current, isFollowing, onFollow }: LogViewProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    getItemKey: (index) => lines[index]?.number ?? index,
    overscan: 20,
  })
  const last = lines.at(-1)?.number
  useEffect(() => {
    if (isFollowing && last !== undefined) virtualizer.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [isFollowing, last, lines.length, virtualizer])
  useEffect(() => {
    const index = current === null ? -1 : lines.findIndex(({ number }) => number === current)
    if (index !== -1) virtualizer.scrollToIndex(index, { align: 'center' })
    // Lines that come do not move what the search is at.
  }, [current, virtualizer])
  const watch = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scroller.current ?? {}
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 40
    if (isAtEnd !== isFollowing) onFollow(isAtEnd)
  }
  return (
    <div
      ref={scroller}
      className={classes['log']}
      // Whoever hears the page would hear nothing else.
      aria-live="off"
      role="log"
      aria-label="Log"
      // It scrolls, and must by keys, too.
      tabIndex={0}
      onWheel={watch}
      onTouchMove={watch}
      onKeyUp={watch}
      onPointerUp={watch}
    >
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index]
          return (
            line && (
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                className={classOf(line, current)}
                style={{ transform: `translateY(${start}px)` }}
              >
                <Line text={line.text} wanted={wanted} />
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}

function classOf({ number, isError }: LogLine, current: number | null): string {
  return [classes['line'], isError && classes['error'], number === current && classes['current']]
    .filter(Boolean)
    .join(' ')
}

const Line = memo(function Line({ text, wanted }: { readonly text: string; readonly wanted: string }) {
  return marked(piecesOf(text), wanted).map((piece, index) => <Shown key={index} piece={piece} />)
})

function Shown({ piece: { text, colour, isBold, isDim, isMatch } }: { readonly piece: Piece }) {
  const names = [colour && classes[colour], isBold && classes['bold'], isDim && classes['dim']]
    .filter(Boolean)
    .join(' ')
  if (isMatch) return <mark>{text}</mark>
  return names === '' ? text : <span className={names}>{text}</span>
}
