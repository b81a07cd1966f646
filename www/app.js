/** The page: wires the rooms (ARCHITECTURE.md), and does nothing else. */

import { Session } from './batch/session.js';
import { Scheduler } from './engine/scheduler.js';
import { receiveSources, takeSources } from './intake/arrivals.js';
import { watchIntake } from './intake/file-intake.js';
import { offerLink, showLinkForm } from './intake/link-form.js';
import { reloadWithImages } from './intake/pending-images.js';
import { fetchSample, showSamples } from './intake/samples.js';
import { announce } from './result/stage.js';
import { intake } from './texts/catalogue.js';
import { byId } from './ui/dom.js';
import { offerLanguages, showTexts, showUnconfined } from './ui/language.js';
import { devicePreference, watchSettings } from './ui/settings.js';

const engine = new Scheduler(new URL('./engine/worker.js', import.meta.url), {
  confined: true,
  onUnconfined: showUnconfined,
});
const ask = engine.ask.bind(engine);
const session = new Session(ask);

showTexts();
offerLanguages(() => reloadWithImages(session.entries));
watchSettings();
showLinkForm();
receiveSources((sources) => session.receive(sources));
watchIntake({
  onLink: offerLink,
  onLooking: () => announce(intake.looking),
  onError: (thrown) => session.refuse(thrown),
});
showSamples((sample) => {
  takeSources([{ name: sample.title, intake: null, take: ({ signal }) => fetchSample(sample, signal) }]);
});
byId('cancel').addEventListener('click', () => session.cancel());
byId('models').addEventListener('click', async () => {
  const { openModelDialog } = await import('./models/dialog.js');
  await openModelDialog({ ask, preference: devicePreference });
});
import('./intake/share-target.js').then(({ takeShared }) => takeShared()).catch(() => {});
import('./offline/offline.js').then(({ startOffline }) => startOffline(() => session.entries)).catch(() => {});
