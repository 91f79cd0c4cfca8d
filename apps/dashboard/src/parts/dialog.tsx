import { Modal, type ModalProps } from '@mantine/core'
import { useLayoutEffect } from 'react'

/** What last had the focus on the page itself: an item of a menu is gone by the time its dialog is there. */
let lastOnPage: HTMLElement | null = null
document.addEventListener('focusin', ({ target }) => {
  if (target instanceof HTMLElement && !target.closest('[role=menu], [role=dialog]')) lastOnPage = target
})

/** A dialog that is open as long as it is there. What had the focus on the page has it again when it goes. */
export function Dialog(props: Omit<ModalProps, 'opened' | 'closeButtonProps'>) {
  useLayoutEffect(() => {
    const back = lastOnPage
    // The dialog holds the focus for as long as it is in the page.
    return () => void setTimeout(() => back?.focus({ preventScroll: true }))
  }, [])
  return <Modal {...props} opened returnFocus={false} closeButtonProps={{ 'aria-label': 'Close' }} />
}
