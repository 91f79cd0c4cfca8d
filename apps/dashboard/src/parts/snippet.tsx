import { Button, Code, Group, Stack } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { IconCheck, IconCopy } from '@tabler/icons-react'

interface SnippetProps {
  /** What it is, for those who hear the page. */
  readonly label: string
  readonly text: string
}

/** A text to take along. */
export function Snippet({ label, text }: SnippetProps) {
  const { copy, copied } = useClipboard()
  return (
    <Stack gap={6}>
      {/* What scrolls must be reachable with the keyboard (WCAG 2.1.1). */}
      <Code block tabIndex={0} aria-label={label} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {text}
      </Code>
      <Group>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          onClick={() => copy(text)}
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </Group>
    </Stack>
  )
}
