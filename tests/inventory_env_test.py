"""The typed settings of examples/inventory: what is taken, and what is refused with its reason."""
import importlib.util
import pathlib
import tempfile
import unittest

FILE = pathlib.Path(__file__).resolve().parent.parent / 'examples/inventory/cores/config/env.py'
spec = importlib.util.spec_from_file_location('inventory_env', FILE)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


class Settings(unittest.TestCase):
    def refusal(self, environment):
        with self.assertRaises(SystemExit) as refused:
            environment.finish()
        return str(refused.exception)

    def test_flags(self):
        env = module.Environment({'A': 'True', 'B': 'False', 'C': '', 'D': 'true'})
        self.assertEqual([env.flag(n) for n in 'ABCDE'], [True, False, False, True, False])
        self.assertTrue(env.flag('E', default=True))
        env.finish()

    def test_a_misspelt_flag_is_an_error_and_not_truth(self):
        env = module.Environment({'LDAP_AUTH': 'Flase'})
        self.assertFalse(env.flag('LDAP_AUTH'))
        self.assertEqual(self.refusal(env), 'cores: LDAP_AUTH: "Flase" is neither True nor False')

    def test_false_as_a_mail_server_means_none(self):
        env = module.Environment({'SMTP_SERVER': 'False', 'OTHER': 'mail.example.org'})
        self.assertIsNone(env.optional('SMTP_SERVER'))
        self.assertEqual(env.optional('OTHER'), 'mail.example.org')

    def test_every_problem_is_reported_at_once(self):
        env = module.Environment({'PORT': '70000', 'OTHER': '2x'})
        env.number('PORT', 25, 1, 65535)
        env.number('OTHER', 25, 1, 65535)
        self.assertEqual(self.refusal(env), 'cores: PORT: "70000" is not a number from 1 to 65535\n'
                                            'cores: OTHER: "2x" is not a number from 1 to 65535')

    def test_secrets(self):
        with tempfile.NamedTemporaryFile('w') as file:
            file.write('s3cret\n')
            file.flush()
            env = module.Environment({'A_FILE': file.name, 'B': 'plain', 'C': 'x', 'C_FILE': file.name,
                                      'D_FILE': '/nowhere'})
            self.assertEqual(env.secret('A'), 's3cret')
            self.assertEqual(env.secret('B'), 'plain')
            env.secret('C')
            env.secret('D')
            env.secret('E')
            env.secret('F', required=False)
        self.assertEqual(self.refusal(env), 'cores: C and C_FILE are both set: set one of them\n'
                                            'cores: D_FILE: /nowhere: No such file or directory\n'
                                            'cores: E: set it, or E_FILE to a file that holds it')


if __name__ == '__main__':
    unittest.main()
