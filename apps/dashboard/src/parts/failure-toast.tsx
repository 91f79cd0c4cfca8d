import { CloseButton, Dialog } from '@mantine/core'
import { Failure } from './failure.tsx'

interface FailureToastProps {
  readonly error: Error
  readonly what: string
  readonly onRetry: () => void
  readonly onClose: () => void
}

/** A failure of something that was asked from a button or a menu, wherever the page is scrolled to. */
export function FailureToast({ error, what, onRetry, onClose }: FailureToastProps) {
  return (
    <Dialog opened onClose={onClose} size="lg" radius="sm" p={0} maw="calc(100vw - 32px)">
      <Failure error={error} what={what} onRetry={onRetry} />
      <CloseButton aria-label="Close this message" onClick={onClose} pos="absolute" top={8} right={8} />
    </Dialog>
  )
}
