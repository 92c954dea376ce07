/** What the person had switched on, kept over a refresh of the tab, so that a refresh never opens a camera. */
export interface Choices {
  audio: boolean;
  video: boolean;
}

type Store = Pick<Storage, 'getItem' | 'setItem'>;
const key = (handle: string): string => `anteroom.media.${handle}`;

export function saveChoices(store: Store, handle: string, { audio, video }: Choices): void {
  store.setItem(key(handle), `${Number(audio)}${Number(video)}`);
}

export function loadChoices(store: Store, handle: string): Choices {
  const saved = store.getItem(key(handle)) ?? '00';
  return { audio: saved.startsWith('1'), video: saved[1] === '1' };
}
