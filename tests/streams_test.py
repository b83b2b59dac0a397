"""Many followers of one log, on a fake engine: every line once, or told of. `make bench` measures the same at length."""
import unittest

from log_load import ROOT, Load


class StreamsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = ROOT / 'build/test'
        if not (build / 'testing_fake_engine').exists():
            raise AssertionError('build/test/testing_fake_engine is missing: make test builds it')
        cls.load = Load(build, 200)
        cls.addClassCleanup(cls.load.stop)

    def test_lists_all_containers_page_by_page(self):
        names, cursor = set(), ''
        while cursor is not None:
            page = self.load.api.get(f'/containers?limit=70{cursor and "&cursor=" + cursor}')
            names |= {each['name'] for each in page['items']}
            cursor = page['next']
        self.assertEqual(names, {f'load-{i}' for i in range(1, 201)})

    def test_each_follower_gets_every_line(self):
        came = self.load.follow(50, 4000, 1000)
        self.assertEqual(came['received'], [4000] * 50, came['lost'])
        self.assertEqual((came['wrong'], sum(came['lost'])), (0, 0))

    def test_slow_followers_learn_what_they_missed(self):
        came = self.load.follow(10, 60_000, 10_000, slow=3)
        self.assertEqual([a + b for a, b in zip(came['received'], came['lost'])], [60_000] * 10)
        self.assertEqual(came['wrong'], 0, 'each gap is as long as it says')
        self.assertTrue(all(lost > 0 for lost in came['lost'][:3]), came['lost'])


if __name__ == '__main__':
    unittest.main()
