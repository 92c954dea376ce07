/**
 * Whether opening camera and microphone would show a prompt. Where it would not (granted before,
 * refused for good, or not possible at all) a page may go ahead by itself.
 */
export async function wouldPrompt(): Promise<boolean> {
  if (!isSecureContext) return false;
  try {
    const states = await Promise.all(
      (['camera', 'microphone'] as const).map(async (name) => {
        const status = await navigator.permissions.query({ name });
        return status.state;
      }),
    );
    return states.includes('prompt');
  } catch {
    // The browser does not say: be polite and ask in a tap.
    return true;
  }
}
