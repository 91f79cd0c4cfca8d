import { Button, Code, Group, ScrollArea, Stack, Text } from '@mantine/core'
import { Dialog } from '../../../parts/dialog.tsx'

interface PasteDialogProps {
  readonly text: string
  readonly onPaste: () => void
  readonly onClose: () => void
}

/** Shows what is about to be typed: a page may have put more into the clipboard than one saw. */
export function PasteDialog({ text, onPaste, onClose }: PasteDialogProps) {
  const lines = text.replace(/\n$/, '').split('\n').length
  return (
    <Dialog onClose={onClose} title={lines === 1 ? 'Paste a line that runs at once?' : `Paste ${lines} lines?`}>
      <Stack>
        <Text size="sm">The shell may run each line as soon as it is there.</Text>
        <ScrollArea.Autosize mah={240}>
          <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {text.length > 5000 ? `${text.slice(0, 5000)}…` : text}
          </Code>
        </ScrollArea.Autosize>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button onClick={onPaste}>Paste</Button>
        </Group>
      </Stack>
    </Dialog>
  )
}
