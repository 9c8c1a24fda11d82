// The shop to be tested. In its place, start yours.
import { join } from 'node:path';

import { serve } from '../serve.mjs';

await serve(join(import.meta.dirname, 'shop'), { port: 5273 });
