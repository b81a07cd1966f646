/**
 * The worker that fetches an image by its link. It alone may connect to the sites that hold images (its own
 * Content-Security-Policy says so), and it never sees an image that came any other way.
 */

import { answer } from '../engine/channel.js';
import { fetchImage } from './image-fetch.js';

answer(self, { fetchImage });
