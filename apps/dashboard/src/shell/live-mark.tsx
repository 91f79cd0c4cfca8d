import { Badge, Tooltip } from '@mantine/core'
import { useLiveState } from '../api/live.ts'

const marks = {
  live: { colour: 'teal', word: 'live', sentence: 'What you see changes as it happens.' },
  connecting: { colour: 'gray', word: 'connecting', sentence: 'Waiting for the stream of events.' },
  lost: { colour: 'red', word: 'offline', sentence: 'The server is not reached; the page catches up when it is.' },
} as const

/** Whether the page hears of changes; on a phone only where it does not. */
export function LiveMark() {
  const state = useLiveState()
  const { colour, word, sentence } = marks[state]
  return (
    <Tooltip label={sentence}>
      <Badge variant="dot" color={colour} tt="none" role="status" {...(state === 'live' && { visibleFrom: 'xs' })}>
        {word}
      </Badge>
    </Tooltip>
  )
}
